import math

import numpy as np
import pytest

from tests.metrics.pairs import value


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([1.1, 2.0], [1.0, 2.0], 0.1),
        ([0.0, 2.0], [0.0, 4.0], 0.5),
        ([1e-30], [0.0], math.inf),
        ([0.0], [-3.0], 1.0),
        ([-3.0], [3.0], 2.0),
        ([0.0, 0.0], [0.0, 0.0], 0.0),
        ([np.inf], [1.0], math.inf),
    ],
)
def test_the_largest_relative_error_of_an_element(a, b, expected):
    assert value("max_rel", a, b) == pytest.approx(expected, rel=1e-6)


def test_it_is_found_in_any_chunk():
    for at in (0, 16_383, 16_384, 99_999):
        a, b = np.ones(100_000), np.ones(100_000)
        a[at] = 5
        assert value("max_rel", a, b) == 4.0


def test_a_nan_in_an_early_chunk_survives_the_later_ones():
    a = np.ones(100_000)
    a[3] = np.nan
    assert math.isnan(value("max_rel", a, np.full(100_000, 2.0)))
