"""The two passes: the exact one against long doubles, the fast one against the exact one."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from ipudebug.measure import FAST_ERROR, measure_pairs
from ipudebug.metrics import METRICS
from ipudebug.metrics.passes import (
    LARGE,
    is_fast,
    measure_exact,
    measure_exactly,
    measure_fast,
    needs_exact,
    sample_error,
    split_batches,
)
from tests.metrics.pairs import pair, tensor

SUMS = ("aa", "bb", "dd", "abs_d", "abs_b")
RNG = np.random.default_rng(11)


def make_distributions(size):
    normal, noise = RNG.normal(size=size), RNG.normal(size=size)
    uniform, relu = RNG.uniform(-1, 1, size), np.maximum(normal - 0.5, 0)
    tails = RNG.standard_cauchy(size)
    yield "uniform", uniform + 0.01 * noise, uniform
    yield "normal", 1.01 * normal + 0.05 * noise, normal
    yield "sparse relu", relu * (1 + 0.01 * noise), relu
    yield "long tails", tails + 0.1 * noise, tails
    yield "log-normal", np.exp(3 * normal) * (1 + 0.01 * noise), np.exp(3 * normal)
    yield "offset 1e3", 1000 + normal + 0.1 * noise, 1000 + normal
    yield "tiny noise", normal + 1e-6 * noise, normal
    yield "a bias", normal + 0.1, normal
    yield "quantised", np.round(normal / 0.03) * 0.03, normal
    yield "both quantised", np.round(normal / 0.03) * 0.03, np.round(normal / 0.0307) * 0.0307
    yield "saturated", np.clip(5 * normal, 0, 6), np.clip(5.1 * normal, 0, 6)
    yield "two values", np.where(normal > 0, 0.1, 0.7), np.where(normal > 0, 0.13, 0.77)
    for scale in (1e-11, 1e-6, 1e6, 1e11):
        yield f"scale {scale}", scale * (normal + 0.01 * noise), scale * normal


def make_biased(size):
    """Distributions on which rounding errors do not cancel."""
    normal = RNG.normal(size=size)
    yield "constants", np.full(size, 0.1), np.full(size, 0.3)
    yield "more constants", np.full(size, np.pi), np.full(size, np.e)
    yield "mostly constant", np.where(normal > 2, normal, 0.7), np.where(normal > 2, normal * 1.1, 0.77)
    spiky = np.where(np.arange(size) % 1024 == 0, 100.0, 0.5)
    yield "one channel of 1024 dwarfs the others", spiky * 1.01, spiky


def relative_error(case, size):
    fast = measure_fast(case, 0, size)
    a, b = (side.array.astype(np.longdouble) for side in case)
    d = a - b
    right = {"aa": a * a, "bb": b * b, "dd": d * d, "abs_d": abs(d), "abs_b": abs(b)}
    return max(float(abs(getattr(fast, name)[0] / right[name].sum() - 1)) for name in SUMS)


@pytest.mark.parametrize("size", [65_537, 100_003, 300_000])
def test_fast_sums_are_within_their_bound(size):
    errors = {name: relative_error(pair(a, b), size) for name, a, b in make_distributions(size)}
    assert max(errors.values()) < FAST_ERROR, errors
    assert sorted(errors.values())[len(errors) // 2] < FAST_ERROR / 10, errors


def test_fast_sums_of_four_million_elements_are_within_their_bound():
    size = 4_000_037
    normal = RNG.normal(size=size)
    for a in (normal * 1.01, normal + 0.1):
        assert relative_error(pair(a, normal), size) < FAST_ERROR


@pytest.mark.parametrize("size", [65_537, 300_000])
def test_where_errors_do_not_cancel_the_sample_shows_it(size):
    for name, a, b in make_biased(size):
        case = pair(a, b)
        assert relative_error(case, size) < max(FAST_ERROR, 2 * sample_error(case)), name


@pytest.mark.parametrize("size", [LARGE, 300_001])
def test_printed_digits_are_those_of_the_exact_pass(size):
    """The promise behind the fast pass, on data of every kind, whichever pass was taken in the end."""
    metrics = {name: METRICS[name] for name in ("mse", "cos", "rmse")}
    for name, a, b in [*make_distributions(size), *make_biased(size)]:
        for gain in (1.0, 0.01, 40.0):
            case = pair(gain * a, b)
            (got,) = measure_pairs([case], metrics)
            exact = measure_exact(case, 0, size)
            for key, metric in metrics.items():
                assert f"{got.values[key]:.6f}" == f"{metric.compute(exact)[0]:.6f}", (name, gain, key)


@pytest.mark.parametrize("name", list(METRICS))
def test_printed_digits_of_any_metric_are_those_of_the_exact_pass(name):
    metric, size = METRICS[name], LARGE + 999
    small = {name: metric}
    for a, b in [(a, b) for _, a, b in make_distributions(size)][:6]:
        (got,) = measure_pairs([pair(a, b)], small)
        exact = measure_pairs([pair(a, b)], {**small, "gain": METRICS["gain"]})[0]  # GAIN needs the exact pass
        assert f"{got.values[name]:.6f}" == f"{exact.values[name]:.6f}"


def test_the_fast_pass_is_taken_where_it_can_be(monkeypatch):
    import ipudebug.measure as module

    monkeypatch.setattr(module, "measure_exact", lambda *_: pytest.fail("measured exactly"))
    b = RNG.normal(size=LARGE)
    measure_pairs([pair(b + 1e-3 * RNG.normal(size=b.size), b)], {"cos": METRICS["cos"]})


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (np.nan, 1.0), (np.inf, 1.0), (1.0, -np.inf), (1e20, 1.0), (1e-20, 1.0), (1e30, 1e30), (1e-15, 2e-15),
        (0.0, 1.0), (1.0, 0.0), (0.0, 0.0), (1.0, 1.0), (1e-42, 1e-42),
    ],
)  # fmt: skip
def test_what_float32_cannot_square_is_measured_exactly(a, b):
    size = 2 * (1 << 15)
    sides = np.full(size, 1.0), np.full(size, 1.0)
    for side, special in zip(sides, (a, b), strict=True):
        side[:] = special
    assert needs_exact(measure_fast(pair(*sides), 0, size))


def test_one_special_element_is_enough():
    for special in (np.nan, np.inf, 1e25):
        a, b = np.ones(LARGE), np.full(LARGE, 1.5)
        a[77_777] = special
        case = pair(a, b)
        assert needs_exact(measure_fast(case, 0, a.size))
        (got,) = measure_pairs([case], {"mse": METRICS["mse"]})
        assert got.nans == (int(np.isnan(special)), 0)
        assert got.infs == (int(np.isinf(special)), 0)


def test_large_float32_pairs_only_are_fast():
    assert is_fast(pair(np.ones(LARGE), np.ones(LARGE)))
    assert not is_fast(pair(np.ones(LARGE - 1), np.ones(LARGE - 1)))
    assert not is_fast((tensor(np.ones(LARGE), "<f8"), tensor(np.ones(LARGE))))
    assert not is_fast((tensor(np.ones(LARGE), "i1"), tensor(np.ones(LARGE), "i1")))


@pytest.mark.parametrize("dtype", ["<f8", "<i2", "u1", "i1", "<i4", "?", "<f2"])
def test_any_number_type_is_widened_before_it_is_subtracted(dtype):
    a, b = np.array([0, 1, 1]), np.array([1, 0, 1])
    sums = measure_exact((tensor(a, dtype), tensor(b, dtype)), 0, 3)
    assert (sums.dd[0], sums.abs_d[0], sums.a[0]) == (2, 2, 2)
    assert measure_exactly([(tensor(a, dtype), tensor(b, "<f4"))] * 2).dd.tolist() == [2, 2]


@pytest.mark.parametrize("dtype", ["<f4", "<f8", "<i2"])
def test_exact_sums_of_tensors_of_any_size_together_are_those_of_long_doubles(dtype):
    """Sizes around those of a row and of a chunk; a NaN and an infinity count for their own tensor only."""
    sizes = [1, 127, 128, 129, 5000, 32_767, 32_768, 32_769, 3, 70_001, 1]
    sides = [[(100 * RNG.normal(size=size)).astype(dtype) for size in sizes] for _ in range(2)]
    if dtype != "<i2":
        sides[0][3][128], sides[1][9][70_000] = np.nan, np.inf
    sums = measure_exactly([pair(a, b, dtype) for a, b in zip(*sides, strict=True)])
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
    assert measure_exact((view, dense), 0, turned.size).equal[0]
    assert measure_exactly([(view, dense)] * 2).equal.all()


def test_batches_keep_the_order_and_hold_every_pair_once():
    sizes = [5, 1001, 7, 600, 600, 600, 3, 1000, 2000, 1]
    pairs = [pair(np.zeros(size), np.zeros(size)) for size in sizes]
    batches = split_batches(pairs, 1000)
    assert [one for batch in batches for one in batch] == pairs
    counts = [[one[0].info.size for one in batch] for batch in batches]
    assert counts == [[5], [1001], [7, 600], [600], [600, 3], [1000], [2000], [1]]


def test_batches_count_whole_rows():
    pairs = [pair(np.zeros(size), np.zeros(size)) for size in (1, 128, 129, 1)]
    assert [len(batch) for batch in split_batches(pairs, 512, 128)] == [3, 1]


def test_no_pairs_make_no_batches():
    assert split_batches([], 10) == []
