"""What every metric promises, whatever it measures; a new file in metrics/ is tested without being named here."""

import math

import numpy as np
import pytest

from ipudebug.errors import UnknownPlugin
from ipudebug.measure import measure_pairs
from ipudebug.metrics import METRICS, VENDOR, SumsMetric
from ipudebug.metrics.passes import sum_pairs
from tests.metrics.oracle import FORMULAS
from tests.metrics.pairs import pair, value

RNG = np.random.default_rng(7)
EVERY = pytest.mark.parametrize("name", list(METRICS))


def make_cases():
    normal, noise = RNG.normal(size=300), RNG.normal(size=300)
    relu = np.maximum(normal, 0)
    yield "normal", normal + 0.01 * noise, normal
    yield "opposite", -normal, normal
    yield "relu", relu * 1.02, relu
    yield "long tails", RNG.standard_cauchy(300), RNG.standard_cauchy(300)
    yield "far from zero", 1e3 + normal, 1e3 + normal + 0.1 * noise
    yield "huge", 1e30 * noise, 1e30 * normal
    yield "tiny", 1e-30 * noise, 1e-30 * normal
    yield "denormal", 1e-42 * noise, 1e-42 * normal
    yield "huge against tiny", 1e30 * normal, 1e-30 * noise
    yield "scaled", 3 * normal + 0.5, normal
    yield "one element", [1.5], [-2.25]
    yield "one equal element", [3.0], [3.0]
    yield "two elements", [1.0, 2.0], [2.0, 7.0]
    yield "sample zero", np.zeros(50), normal[:50]
    yield "benchmark zero", normal[:50], np.zeros(50)
    yield "both zero", np.zeros(50), np.zeros(50)
    yield "negative zero", np.zeros(50), -np.zeros(50)
    yield "constants", np.full(50, 0.1), np.full(50, 0.3)
    yield "constant benchmark", normal[:50], np.full(50, 0.1)
    yield "constant sample", np.full(50, 0.1), normal[:50]
    yield "equal", normal, normal
    yield "one differs", np.where(np.arange(300) == 7, normal + 1, normal), normal


CASES = {name: (np.asarray(a, "<f4"), np.asarray(b, "<f4")) for name, a, b in make_cases()}


def test_every_metric_has_an_independent_formula():
    assert set(METRICS) == set(FORMULAS)


@EVERY
@pytest.mark.parametrize("case", CASES)
def test_value_is_that_of_the_definition(name, case):
    a, b = CASES[case]
    expected = FORMULAS[name](a.tolist(), b.tolist())
    # Near 1 a cosine, and near 0 an offset, are small differences of large sums.
    scale = float(np.abs(a).max() + np.abs(b).max()) if name == "offset" else 1.0
    absolute = 1e-9 * scale if name in ("cos", "offset", "gain") else 0.0
    assert value(name, a, b) == pytest.approx(expected, rel=1e-9, abs=absolute, nan_ok=True)


@EVERY
def test_equal_tensors_have_the_best_value(name):
    a = RNG.normal(size=1000)
    metric = METRICS[name]
    assert value(name, a, a) == pytest.approx(metric.best, rel=1e-15)
    assert metric.higher_is_better in (True, False, None)


@EVERY
def test_worse_is_on_the_side_that_the_metric_names(name):
    b = RNG.normal(size=1000)
    noise = RNG.normal(size=1000)
    slightly, badly = (value(name, b + size * noise + size * b, b) for size in (0.01, 0.5))
    metric = METRICS[name]
    if metric.higher_is_better is None:
        assert abs(badly - metric.best) > abs(slightly - metric.best)
    else:
        assert (slightly > badly) == metric.higher_is_better
        assert (metric.best > slightly) == metric.higher_is_better


@EVERY
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("other", ["data", "zeros"])
def test_a_nan_is_never_hidden(name, side, other):
    sides = [RNG.normal(size=200), RNG.normal(size=200) if other == "data" else np.zeros(200)]
    if side:
        sides.reverse()
    sides[side][17] = np.nan
    assert math.isnan(value(name, *sides))


@EVERY
def test_an_infinity_never_looks_like_a_good_value(name):
    b = RNG.normal(size=200)
    for at_a, at_b in ((np.inf, 1), (1, np.inf), (-np.inf, np.inf), (np.inf, np.inf)):
        a, b = b + 0.1, b.copy()
        a[3], b[3] = at_a, at_b
        got = value(name, a, b)
        if name == "p99_abs":  # one of 200 elements lies above the percentile; only a NaN shows
            assert math.isnan(got) == (at_a == at_b == np.inf)
        else:
            assert not math.isfinite(got)
            assert got != METRICS[name].best


@EVERY
def test_value_does_not_depend_on_batch_or_neighbours(name):
    pairs = [pair(RNG.normal(size=size), RNG.normal(size=size)) for size in (1, 7, 4096, 1, 20_000)]
    together = measure_pairs(pairs, {name: METRICS[name]})
    alone = [measure_pairs([one], {name: METRICS[name]})[0] for one in pairs]
    for left, right in zip(together, alone, strict=True):
        assert left.values[name] == pytest.approx(right.values[name], rel=1e-12, abs=1e-12, nan_ok=True)


@EVERY
def test_value_does_not_depend_on_other_metrics(name):
    a, b = RNG.normal(size=5000), RNG.normal(size=5000)
    (alone,) = measure_pairs([pair(a, b)], {name: METRICS[name]})
    (among,) = measure_pairs([pair(a, b)], dict(METRICS))
    assert among.values[name] == pytest.approx(alone.values[name], rel=1e-12)


@pytest.mark.parametrize("name", [name for name in METRICS if isinstance(METRICS[name], SumsMetric)])
def test_a_formula_gives_one_float64_a_pair(name):
    metric = METRICS[name]
    b = RNG.normal(size=70_000)
    for a in (b + 0.01 * RNG.normal(size=b.size), 5 * b + 0.1, b * 1.5):
        sums = sum_pairs([pair(a, b)] * 3)
        assert metric.compute(sums).shape == (3,)
        assert metric.compute(sums).dtype == np.float64


def test_labels_are_distinct_headings():
    labels = [metric.label for metric in METRICS.values()]
    assert len(set(labels)) == len(labels)
    assert labels == [label.upper() for label in labels]
    assert [METRICS[name].label for name in VENDOR] == ["MSE", "COS", "RMSE"]


@pytest.mark.parametrize("spelling", ["p99_abs", "p99-abs", "P99-ABS"])
def test_a_metric_is_found_however_it_is_spelled(spelling):
    assert METRICS.find(spelling) == "p99_abs"
    assert METRICS[spelling].label == "P99_ABS"


def test_an_unknown_metric_names_the_near_ones():
    with pytest.raises(UnknownPlugin, match="unknown metric: sqnt") as caught:
        METRICS.find("sqnt")
    assert caught.value.hint is not None
    assert "did you mean sqnr" in caught.value.hint
