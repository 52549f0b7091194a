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


class ErrorTable:
    """Errors of many ranges at once: sums up to each value, so that a range costs four searches and no pass.

    Args:
        values: ascending, float64.
        counts: how often each occurs.
    """

    def __init__(self, values: np.ndarray, counts: np.ndarray) -> None:
        """Add up counts, values and squares."""
        self._values = values
        self._sums = np.zeros((3, len(values) + 1))
        np.cumsum(counts * np.stack([np.ones_like(values), values, values * values]), axis=1, out=self._sums[:, 1:])

    def measure(self, low: np.ndarray | float, high: np.ndarray | float) -> np.ndarray:
        """Return the sum of squared errors of values that are stored in 8 bits over low..high; inf if empty."""
        low, high = np.broadcast_arrays(np.asarray(low, np.float64), np.asarray(high, np.float64))
        step = (high - low) / LEVELS
        near = step / np.sqrt(12)
        first, last = np.searchsorted(self._values, low), np.searchsorted(self._values, high, side="right")
        start = np.clip(np.searchsorted(self._values, -near), first, last)
        stop = np.clip(np.searchsorted(self._values, near, side="right"), first, last)
        whole = np.full_like(last, len(self._values))
        below, left, right, within, all_sums = (self._sums[:, place] for place in (first, start, stop, last, whole))
        outside = _spread(below, low) + _spread(all_sums - within, high)
        coarse = (left[0] - below[0] + within[0] - right[0]) * near**2
        errors: np.ndarray = np.where(high > low, outside + coarse + right[2] - left[2], np.inf)
        return errors


def _spread(sums: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Return the sum of squared distances from a point, of count, sum and sum of squares."""
    distances: np.ndarray = np.maximum(sums[2] - 2 * centre * sums[1] + centre**2 * sums[0], 0)
    return distances


def choose(measured: Range, histogram: Histogram) -> Range:
    """Return the best range: one end is moved at a time, then the other, until nothing is gained."""
    low, high = min(measured.low, 0.0), max(measured.high, 0.0)
    if not histogram.counts.size or low == high:
        return measured
    table = ErrorTable(histogram.centres, histogram.counts)
    best = low, high
    for _ in range(ROUNDS):
        before = best
        best = best[0], float((high * SHARES)[np.argmin(table.measure(best[0], high * SHARES))])
        best = float((low * SHARES)[np.argmin(table.measure(low * SHARES, best[1]))]), best[1]
        if best == before:
            break
    return Range(float(np.float32(best[0])), float(np.float32(best[1])))


CALIBRATOR = Calibrator(choose)
