"""The measured range as it is: what the vendor's files show."""

from __future__ import annotations

from ipudebug.sim.calibrators import Calibrator
from ipudebug.sim.histogram import Histogram
from ipudebug.sim.quantisation import Range


def choose(measured: Range, histogram: Histogram) -> Range:
    """Return the measured range."""
    return measured


CALIBRATOR = Calibrator(choose, needs_histogram=False)
