"""All but the outermost 0.01 % of the values on either side."""

from __future__ import annotations

import numpy as np

from ipudebug.sim.calibrators import Calibrator
from ipudebug.sim.histogram import Histogram
from ipudebug.sim.quantisation import Range

LEFT_OUT = 1e-4
"""Share of the values that may lie beyond each end."""


def choose(measured: Range, histogram: Histogram) -> Range:
    """Return the range from the bucket of the 0.01st percentile to that of the 99.99th, both included."""
    counts = histogram.counts
    if not counts.size:
        return measured
    low, high = histogram.edges
    below = np.cumsum(counts)
    spare = LEFT_OUT * below[-1]
    first = int(np.searchsorted(below, spare, side="right"))
    last = int(np.searchsorted(below, below[-1] - spare, side="left"))
    return Range(max(measured.low, float(low[first])), min(measured.high, float(high[last])))


CALIBRATOR = Calibrator(choose)
