import math

import numpy as np
import pytest

from tests.metrics.pairs import value


def test_a_norm_below_1e_8_counts_as_zero_as_in_the_vendors_tool():
    assert value("cos", [9.9e-9, 0], [1, 0]) == 0.0
    assert value("cos", [1.1e-8, 0], [1, 0]) == pytest.approx(1.0)
    assert value("cos", [0, 0], [0, 0]) == 0.0


def test_the_vendors_overflow_is_not_ours():
    assert value("cos", [1e20, 2e20], [1e20, 2e20]) == 1.0
    assert value("cos", [1e20, 2e20], [1e20, 2.1e20]) == pytest.approx(5.2 / 5**0.5 / 5.41**0.5, rel=1e-7)


def test_rounding_never_leads_out_of_the_range():
    rng = np.random.default_rng(0)
    for _ in range(200):
        b = rng.normal(size=33)
        assert -1.0 <= value("cos", -3 * b, b) <= value("cos", 3 * b, b) <= 1.0


def test_a_nan_beside_a_zero_tensor_is_a_nan():
    assert math.isnan(value("cos", [np.nan, 1], [0, 0]))
    assert math.isnan(value("cos", [0, 0], [np.inf, 1]))
