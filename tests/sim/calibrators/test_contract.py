"""What every calibration method promises, and what each is for."""

from __future__ import annotations

import numpy as np
import pytest

from ipudebug.sim.calibrators import CALIBRATORS
from ipudebug.sim.calibrators.entropy import measure_loss
from ipudebug.sim.calibrators.mse import ErrorTable
from ipudebug.sim.histogram import Histogram
from ipudebug.sim.quantisation import UINT8, Range, make_quant

SAMPLES = {
    "normal": lambda random: random.standard_normal(20000),
    "relu": lambda random: np.maximum(random.standard_normal(20000), 0),
    "outlier": lambda random: np.append(random.standard_normal(400000), 12.0),
    "long tail": lambda random: random.standard_normal(20000) ** 3,
    "negative": lambda random: -np.abs(random.standard_normal(20000)),
    "zeros": lambda random: np.zeros(100),
    "one value": lambda random: np.full(100, 2.5),
}


def draw(name: str) -> tuple[np.ndarray, Range, Histogram]:
    values = SAMPLES[name](np.random.default_rng(4)).astype(np.float32)
    histogram = Histogram()
    histogram.add(values)
    return values, Range(float(values.min()), float(values.max())), histogram


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("method", CALIBRATORS)
def test_a_range_lies_within_what_was_measured(method: str, sample: str) -> None:
    _, measured, histogram = draw(sample)
    chosen = CALIBRATORS[method].choose(measured, histogram)
    assert min(measured.low, 0) <= chosen.low <= chosen.high <= max(measured.high, 0)


@pytest.mark.parametrize("method", CALIBRATORS)
def test_without_a_sample_the_measured_range_is_kept(method: str) -> None:
    assert CALIBRATORS[method].choose(Range(-1.0, 3.0), Histogram()) == Range(-1.0, 3.0)


def test_methods() -> None:
    assert set(CALIBRATORS) == {"min-max", "percentile", "mse", "entropy"}
    assert [name for name in CALIBRATORS if not CALIBRATORS[name].needs_histogram] == ["min-max"]


@pytest.mark.parametrize("method", ["percentile", "mse", "entropy"])
def test_an_outlier_does_not_rule_the_range(method: str) -> None:
    _, measured, histogram = draw("outlier")
    assert measured.high == 12.0
    assert CALIBRATORS[method].choose(measured, histogram).high < 8


@pytest.mark.parametrize("sample", ["normal", "relu", "outlier", "long tail", "negative"])
def test_mse_is_no_worse_than_the_measured_range(sample: str) -> None:
    values, measured, histogram = draw(sample)

    def error(span: Range) -> float:
        quant = make_quant(span, UINT8)
        stored = (quant.quantise(values).astype(np.float64) - quant.zero) * float(quant.scale)
        return float(np.mean((stored - values) ** 2))

    assert error(CALIBRATORS["mse"].choose(measured, histogram)) <= 1.05 * error(measured)


def test_percentile_leaves_out_one_in_ten_thousand_at_each_end() -> None:
    values = np.arange(1, 100001, dtype=np.float32)
    histogram = Histogram()
    histogram.add(values)
    chosen = CALIBRATORS["percentile"].choose(Range(1.0, 100000.0), histogram)
    assert 9.9 <= chosen.low <= 11
    assert 99990 * 0.99 <= chosen.high <= 100000


def measure_plainly(values: np.ndarray, counts: np.ndarray, low: float, high: float) -> float:
    """The definition, value by value."""
    step = (high - low) / 255
    total = 0.0
    for value, count in zip(values.tolist(), counts.tolist(), strict=True):
        inside = low <= value <= high
        total += count * (min(value**2, step**2 / 12) if inside else max(value - high, low - value) ** 2)
    return total


def test_the_error_of_steps() -> None:
    values, counts = np.array([0.0, 0.1, 100.0, 300.0]), np.array([7, 2, 3, 1])
    step = 255 / 255
    expected = 2 * 0.1**2 + 3 * step**2 / 12 + 45.0**2
    assert ErrorTable(values, counts).measure(0.0, 255.0) == pytest.approx(expected)
    assert ErrorTable(values, counts).measure(1.0, 1.0) == np.inf


@pytest.mark.parametrize("sample", ["normal", "relu", "long tail", "negative"])
def test_errors_of_many_ranges_are_those_of_each(sample: str) -> None:
    _, measured, histogram = draw(sample)
    table = ErrorTable(histogram.centres, histogram.counts)
    low, high = min(measured.low, 0), max(measured.high, 0)
    for share in (1.0, 0.5, 0.1, 0.02):
        lows, highs = np.array([low, low * share, low * share]), np.array([high * share, high, high * share])
        expected = [
            measure_plainly(histogram.centres, histogram.counts, *ends) for ends in zip(lows, highs, strict=True)
        ]
        assert table.measure(lows, highs).tolist() == pytest.approx(expected, rel=1e-7)


def test_a_distribution_that_256_levels_show_exactly_loses_nothing() -> None:
    assert measure_loss(np.random.default_rng(0).integers(1, 9, 256).astype(float), 0, 256) == pytest.approx(
        0, abs=1e-12
    )
    assert measure_loss(np.random.default_rng(0).integers(1, 9, 2048).astype(float), 0, 2048) > 1e-3
