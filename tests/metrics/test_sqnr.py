import math

import numpy as np
import pytest

from ipudebug.metrics import METRICS
from ipudebug.metrics.passes import measure_exact
from tests.metrics.pairs import pair, value


def test_a_bit_of_a_quantiser_is_worth_six_decibels():
    b = np.random.default_rng(5).uniform(-1, 1, 60_000)
    at = [value("sqnr", np.round(b * levels) / levels, b) for levels in (64, 128, 256)]
    assert np.diff(at) == pytest.approx([6.02, 6.02], abs=0.1)


def test_zero_tensors():
    assert value("sqnr", [1, 2], [0, 0]) == -math.inf
    assert value("sqnr", [0, 0], [0, 0]) == math.inf
    assert value("sqnr", [0, 0], [1, 2]) == 0.0


def test_a_relative_error_of_the_sums_is_an_absolute_one_in_decibels():
    b = np.random.default_rng(6).normal(size=100)
    sums = measure_exact(pair(b * 1.1, b), 0, 100)
    metric, relative = METRICS["sqnr"], 1e-4
    moved = type(sums)(
        **{name: getattr(sums, name) for name in sums.__slots__}
        | {"bb": sums.bb * (1 + relative), "dd": sums.dd * (1 - relative)}
    )
    difference = abs(metric.compute(moved) - metric.compute(sums))[0]
    assert 0.5 * metric.error(sums, relative)[0] < difference <= metric.error(sums, relative)[0]
