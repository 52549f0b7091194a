import math

import numpy as np
import pytest

from ipudebug.metrics.p99_abs import METRIC, LargestErrors
from tests.metrics.pairs import value

RNG = np.random.default_rng(4)


def percentile(a, b):
    return np.percentile(np.abs(np.asarray(a, "f8") - np.asarray(b, "f8")), 99)


@pytest.mark.parametrize("size", [1, 2, 3, 50, 99, 100, 101, 102, 201, 1000, 16_384, 16_385, 300_000])
def test_it_is_numpys_percentile_of_the_whole(size):
    a, b = RNG.normal(size=size).astype("f4"), RNG.standard_cauchy(size).astype("f4")
    assert value("p99_abs", a, b) == pytest.approx(percentile(a, b), rel=1e-12)


@pytest.mark.parametrize("order", ["rising", "falling", "all alike", "few distinct"])
def test_it_does_not_depend_on_the_order_of_the_data(order):
    size = 400_000
    errors = {
        "rising": np.arange(size, dtype="f8"),
        "falling": np.arange(size, dtype="f8")[::-1],
        "all alike": np.full(size, 0.25),
        "few distinct": RNG.integers(0, 3, size).astype("f8"),
    }[order]
    stream = METRIC.start(size)
    for start in range(0, size, 10_000):
        stream.update(errors[start : start + 10_000], np.zeros(10_000))
    assert stream.value() == pytest.approx(percentile(errors, np.zeros(size)), rel=1e-12)


def test_memory_stays_at_a_hundredth_of_the_data():
    size = 2_000_000
    stream = LargestErrors(size)
    kept = 0
    for _ in range(0, size, 16_384):
        stream.update(RNG.normal(size=16_384), np.zeros(16_384))
        kept = max(kept, sum(part.size for part in stream._kept))
    assert kept < 2 * size // 100 + 65_536 + 16_384 + 2


def test_infinities_above_the_percentile_leave_it_finite():
    errors = np.zeros(101)
    errors[100] = np.inf
    errors[99] = 5
    assert value("p99_abs", errors, np.zeros(101)) == 5.0  # position 99 exactly: the neighbour has no weight
    assert value("p99_abs", np.full(7, np.inf), np.zeros(7)) == np.inf


def test_one_nan_anywhere_makes_it_nan():
    for at in (0, 40_000, 99_999):
        errors = np.arange(100_000.0)
        errors[at] = np.nan
        assert math.isnan(value("p99_abs", errors, np.zeros(100_000)))
