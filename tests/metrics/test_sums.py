import itertools
import math
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipudebug.metrics.passes import measure_exact
from ipudebug.metrics.sums import Sums, make_sums, merge_sums, ratio
from tests.metrics.pairs import pair

FLOATS = st.floats(-1e6, 1e6, width=32)


def fields_of(sums: Sums) -> dict[str, float]:
    return {field.name: float(getattr(sums, field.name)[0]) for field in fields(sums)}


@given(st.lists(st.tuples(FLOATS, FLOATS), min_size=1, max_size=60))
def test_sums_are_those_of_fsum(elements):
    a, b = zip(*elements, strict=True)
    got = fields_of(measure_exact(pair(a, b), 0, len(a)))
    expected = {
        "n": len(a), "aa": math.fsum(x * x for x in a), "bb": math.fsum(y * y for y in b),
        "ab": math.fsum(x * y for x, y in elements), "dd": math.fsum((x - y) ** 2 for x, y in elements),
        "abs_d": math.fsum(abs(x - y) for x, y in elements), "abs_b": math.fsum(map(abs, b)),
        "a": math.fsum(a), "b": math.fsum(b), "max_d": max(abs(x - y) for x, y in elements),
        "nans_a": 0, "nans_b": 0, "infs_a": 0, "infs_b": 0,
    }  # fmt: skip
    magnitude = {"ab": math.fsum(abs(x * y) for x, y in elements), "a": math.fsum(map(abs, a)), "b": expected["abs_b"]}
    for name, right in expected.items():
        assert got[name] == pytest.approx(right, rel=1e-13, abs=1e-13 * magnitude.get(name, 0)), name


@given(st.lists(st.integers(1, 39), max_size=6), st.randoms())
def test_parts_merge_into_the_whole_in_any_order(cuts, random):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=40), rng.normal(size=40)
    a[3], b[30] = np.nan, np.inf
    bounds = sorted({0, 40, *cuts})
    parts = [measure_exact(pair(a, b), start, stop) for start, stop in itertools.pairwise(bounds)]
    random.shuffle(parts)
    whole, merged = fields_of(measure_exact(pair(a, b), 0, 40)), fields_of(merge_sums(parts))
    assert merged == pytest.approx(whole, rel=1e-13, nan_ok=True)
    assert (merged["nans_a"], merged["infs_b"], merged["n"]) == (1, 1, 40)


def test_nan_and_infinities_are_counted_on_either_side():
    sums = measure_exact(pair([np.nan, np.inf, -np.inf, 1, 2], [1, 2, 3, np.nan, np.nan]), 0, 5)
    assert [sums.nans_a[0], sums.nans_b[0], sums.infs_a[0], sums.infs_b[0]] == [1, 2, 2, 0]
    assert sums.nonfinite[0] == 5


@pytest.mark.parametrize("dtype", ["<f4", "<f8"])
def test_a_tiny_difference_is_not_equal(dtype):
    tiny = float(np.finfo(dtype).smallest_subnormal)
    assert not measure_exact(pair([1, tiny], [1, 0], dtype), 0, 2).equal[0]
    assert measure_exact(pair([1, tiny], [1, tiny], dtype), 0, 2).equal[0]
    assert measure_exact(pair([0.0], [-0.0], dtype), 0, 1).equal[0]


def test_a_nan_is_never_equal():
    assert not measure_exact(pair([np.nan], [np.nan]), 0, 1).equal[0]


def test_infinities_of_both_signs_in_different_chunks_merge_without_a_warning():
    a = np.zeros(40_000)
    a[0], a[39_999] = np.inf, -np.inf
    assert np.isnan(measure_exact(pair(a, np.zeros(40_000)), 0, 40_000).a[0])


def test_fields_left_out_are_zero():
    sums = make_sums(n=np.array([1.0, 2.0]))
    assert sums.n.tolist() == [1, 2]
    assert sums.infs_b.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [(1, 2, 0.5), (1, 0, math.inf), (0, 0, 7), (0, 3, 0), (math.nan, 0, math.nan)],
)
def test_ratio_says_what_zero_over_zero_is(numerator, denominator, expected):
    got = ratio(np.array([float(numerator)]), np.array([float(denominator)]), both_zero=7)
    assert got.tolist() == pytest.approx([expected], nan_ok=True)
