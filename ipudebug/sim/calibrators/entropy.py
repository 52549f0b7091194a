"""The range that loses the least information: the smallest Kullback-Leibler divergence (Migacz, 8-bit inference, 2017).

The distribution over BINS equal parts of the measured range is cut where absolute values exceed a limit; what is cut
off goes to the outermost bins. It is compared with itself as 256 levels would show it. Zeros, which are stored exactly
and which a ReLU makes in any number, are left out.
"""

from __future__ import annotations

import numpy as np

from ipudebug.sim.calibrators import LEVELS, Calibrator
from ipudebug.sim.histogram import Histogram
from ipudebug.sim.quantisation import Range

BINS = 2048
SHARES = np.linspace(1.0, 0.125, 113)
"""Limits that are tried, as parts of the largest absolute value."""


def choose(measured: Range, histogram: Histogram) -> Range:
    """Return the part of the measured range within the limit that loses least."""
    low, high = min(measured.low, 0.0), max(measured.high, 0.0)
    bins = _spread(histogram, low, high)
    if not bins.sum():
        return measured
    edges = np.linspace(low, high, BINS + 1)
    best, chosen = float("inf"), (low, high)
    for limit in SHARES * max(-low, high):
        ends = max(low, -limit), min(high, limit)
        first = min(int(np.searchsorted(edges, ends[0])), BINS - 1)
        last = min(max(int(np.searchsorted(edges, ends[1])), first + 1), BINS)
        loss = measure_loss(bins, first, last)
        if loss < best:
            best, chosen = loss, ends
    return Range(float(np.float32(chosen[0])), float(np.float32(chosen[1])))


def _spread(histogram: Histogram, low: float, high: float) -> np.ndarray:
    """Return the counts over BINS equal parts of low..high, without zeros; each bucket is spread evenly."""
    starts, stops = histogram.edges
    counts = np.where(histogram.centres == 0, 0, histogram.counts)
    if high <= low or not counts.sum():
        return np.zeros(BINS)
    places = np.stack([starts, stops], axis=1).reshape(-1)
    below = np.cumsum(np.stack([np.zeros_like(counts), counts], axis=1).reshape(-1))
    found = np.interp(np.linspace(low, high, BINS + 1), places, below)
    found[0], found[-1] = 0, below[-1]
    return np.diff(found)


def measure_loss(bins: np.ndarray, first: int, last: int) -> float:
    """Return the divergence of the bins first..last, with all others in the outermost two, from 256 levels of them."""
    reference = bins[first:last].astype(np.float64)
    kept = reference.copy()
    reference[0] += bins[:first].sum()
    reference[-1] += bins[last:].sum()
    level = np.arange(len(kept)) * (LEVELS + 1) // len(kept)
    is_filled = reference > 0
    sums = np.bincount(level, kept, minlength=LEVELS + 1)
    filled = np.bincount(level, is_filled, minlength=LEVELS + 1)
    shown = np.where(is_filled, sums[level] / np.maximum(filled[level], 1), 0)
    if not shown.sum():
        return float("inf")
    p, q = reference / reference.sum(), shown / shown.sum()
    is_compared = p > 0
    floor = np.finfo(np.float64).tiny
    return float(np.sum(p[is_compared] * np.log(p[is_compared] / np.maximum(q[is_compared], floor))))


CALIBRATOR = Calibrator(choose)
