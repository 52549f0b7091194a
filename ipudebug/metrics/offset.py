"""OFFSET, the constant of the straight line that fits the sample over the benchmark."""

import numpy as np

from ipudebug.metrics import SumsMetric
from ipudebug.metrics.gain import fit_line
from ipudebug.metrics.sums import Sums


class Offset(SumsMetric):
    """o of the least-squares fit a = g b + o: (S(a) - g S(b)) / n, g as in GAIN, in the unit of the data.

    Best 0; another value means a wrong zero point or bias. NaN where b is constant, unless a equals b, and if the data
    has a NaN or an infinity.
    """

    label = "OFFSET"
    higher_is_better = None
    best = 0.0

    def compute(self, sums: Sums) -> np.ndarray:
        """Return one value a pair."""
        return np.where(sums.equal, 0.0, fit_line(sums)[1])


METRIC = Offset()
