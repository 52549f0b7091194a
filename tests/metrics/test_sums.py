import math

import numpy as np
import pytest

from ipudebug.metrics.passes import CHUNK, sum_pair
from ipudebug.metrics.sums import ratio
from tests.metrics.pairs import pair


def test_nan_and_infinities_are_counted_on_either_side():
    sums = sum_pair(pair([np.nan, np.inf, -np.inf, 1, 2], [1, 2, 3, np.nan, np.nan]), 0, 5)
    assert [sums.nans_a[0], sums.nans_b[0], sums.infs_a[0], sums.infs_b[0]] == [1, 2, 2, 0]
    assert sums.nonfinite[0] == 5


@pytest.mark.parametrize("dtype", ["<f4", "<f8"])
def test_a_tiny_difference_is_not_equal(dtype):
    tiny = float(np.finfo(dtype).smallest_subnormal)
    assert not sum_pair(pair([1, tiny], [1, 0], dtype), 0, 2).equal[0]
    assert sum_pair(pair([1, tiny], [1, tiny], dtype), 0, 2).equal[0]
    assert sum_pair(pair([0.0], [-0.0], dtype), 0, 1).equal[0]


def test_a_nan_is_never_equal():
    assert not sum_pair(pair([np.nan], [np.nan]), 0, 1).equal[0]


def test_infinities_of_both_signs_in_different_chunks_merge_without_a_warning():
    a = np.zeros(CHUNK + 1)
    a[0], a[CHUNK] = np.inf, -np.inf
    assert np.isnan(sum_pair(pair(a, np.zeros(a.size)), 0, a.size).a[0])


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [(1, 2, 0.5), (1, 0, math.inf), (0, 0, 7), (0, 3, 0), (math.nan, 0, math.nan)],
)
def test_ratio_says_what_zero_over_zero_is(numerator, denominator, expected):
    got = ratio(np.array([float(numerator)]), np.array([float(denominator)]), both_zero=7)
    assert got.tolist() == pytest.approx([expected], nan_ok=True)
