"""The range with the smallest mean squared error of quantised values.

A value inside the range is off by step^2 / 12 on average, but never by more than itself, as zero is stored exactly; one
outside is off by its distance from the range.
"""

from __future__ import annotations

import numpy as np

from ipudebug.sim.calibrators import LEVELS, Calibrator
from ipudebug.sim.histogram import Histogram
from ipudebug.sim.quantisation import Range

SHARES = np.linspace(1.0, 0.02, 99)
"""Parts of each end of the measured range that are tried, the whole first: it wins a draw."""
ROUNDS = 3


def choose(measured: Range, histogram: Histogram) -> Range:
    """Return the best range: one end is moved at a time, then the other, until nothing is gained."""
    values, counts = histogram.centres, histogram.counts
    low, high = min(measured.low, 0.0), max(measured.high, 0.0)
    if not counts.size or low == high:
        return measured
    best = low, high
    for _ in range(ROUNDS):
        before = best
        best = min(((best[0], high * share) for share in SHARES), key=lambda ends: measure_error(values, counts, *ends))
        best = min(((low * share, best[1]) for share in SHARES), key=lambda ends: measure_error(values, counts, *ends))
        if best == before:
            break
    return Range(float(np.float32(best[0])), float(np.float32(best[1])))


def measure_error(values: np.ndarray, counts: np.ndarray, low: float, high: float) -> float:
    """Return the sum of squared errors of values that are stored in 8 bits over low..high."""
    if high <= low:
        return float("inf")
    step = (high - low) / LEVELS
    inside = np.minimum(values**2, step**2 / 12)
    outside = np.maximum(values - high, low - values)
    return float(counts @ np.where(outside > 0, outside**2, inside))


CALIBRATOR = Calibrator(choose)
