"""One pass over pairs of any sizes and types: the sums of long doubles, however the elements lie."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from ipudebug.measure import measure_pairs
from ipudebug.metrics import METRICS
from ipudebug.metrics.passes import CHUNK, split_batches, sum_pair, sum_pairs
from tests.metrics.pairs import pair, tensor

RNG = np.random.default_rng(11)


@pytest.mark.parametrize("dtype", ["<f8", "<i2", "u1", "i1", "<i4", "?", "<f2"])
def test_any_number_type_is_widened_before_it_is_subtracted(dtype):
    a, b = np.array([0, 1, 1]), np.array([1, 0, 1])
    sums = sum_pair((tensor(a, dtype), tensor(b, dtype)), 0, 3)
    assert (sums.dd[0], sums.abs_d[0], sums.a[0]) == (2, 2, 2)
    assert sum_pairs([(tensor(a, dtype), tensor(b, "<f4"))] * 2).dd.tolist() == [2, 2]


@pytest.mark.parametrize("dtype", ["<f4", "<f8", "<i2"])
def test_sums_of_tensors_of_any_size_together_are_those_of_long_doubles(dtype):
    """Sizes around those of a row and of a chunk; a NaN and an infinity count for their own tensor only."""
    sizes = [1, 127, 128, 129, 5000, CHUNK - 1, CHUNK, CHUNK + 1, 3, 2 * CHUNK + 7, 1]
    sides = [[(100 * RNG.normal(size=size)).astype(dtype) for size in sizes] for _ in range(2)]
    if dtype != "<i2":
        sides[0][3][128], sides[1][9][-1] = np.nan, np.inf
    sums = sum_pairs([pair(a, b, dtype) for a, b in zip(*sides, strict=True)])
    assert sums.n.tolist() == sizes
    for number, (a, b) in enumerate(zip(*(map(np.longdouble, side) for side in sides), strict=True)):
        d = a - b
        right = {
            "aa": (a * a).sum(), "bb": (b * b).sum(), "dd": (d * d).sum(), "ab": (a * b).sum(), "a": a.sum(),
            "b": b.sum(), "abs_b": abs(b).sum(), "abs_d": abs(d).sum(), "max_d": abs(d).max(),
            "nans_a": np.isnan(a).sum(), "infs_b": np.isinf(b).sum(), "nans_b": 0, "infs_a": 0,
        }  # fmt: skip
        for name, value in right.items():
            got = getattr(sums, name)[number]
            assert got == pytest.approx(float(value), rel=1e-12, abs=1e-9, nan_ok=True), (sizes[number], name)


def test_two_threads_measure_without_disturbing_each_other():
    pairs = [pair(RNG.normal(size=size), RNG.normal(size=size)) for size in (300_000, 5_000, 70_000) * 3]
    metrics = {name: METRICS[name] for name in ("mse", "cos", "rmse")}
    alone = [measure_pairs([one], metrics) for one in pairs]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda one: measure_pairs([one], metrics), pairs)) == alone


def test_a_transposed_view_is_read_in_its_own_order():
    array = RNG.normal(size=(1, 3, 40, 50)).astype("f4")
    turned = tensor(array).array.transpose(0, 2, 3, 1)
    view = type(tensor(array))(tensor(np.ascontiguousarray(turned)).info, turned)
    dense = tensor(np.ascontiguousarray(turned))
    assert sum_pair((view, dense), 0, turned.size).equal[0]
    assert sum_pairs([(view, dense)] * 2).equal.all()


def test_batches_keep_the_order_and_hold_every_pair_once():
    sizes = [500, 1001, 200, 600, 600, 600, 300, 1000, 2000, 128]
    pairs = [pair(np.zeros(size), np.zeros(size)) for size in sizes]
    batches = split_batches(pairs, 1000)
    assert [one for batch in batches for one in batch] == pairs
    counts = [[one[0].info.size for one in batch] for batch in batches]
    assert counts == [[500], [1001], [200, 600], [600], [600, 300], [1000], [2000], [128]]


def test_tiny_tensors_do_not_make_endless_batches():
    pairs = [pair([1], [1])] * 1000
    assert max(map(len, split_batches(pairs, CHUNK))) == CHUNK // 128


def test_no_pairs_make_no_batches():
    assert split_batches([], 10) == []
