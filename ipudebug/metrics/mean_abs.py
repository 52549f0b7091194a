"""MEAN_ABS, the mean absolute error."""

import numpy as np

from ipudebug.metrics import SumsMetric
from ipudebug.metrics.sums import Sums, ratio


class MeanAbsoluteError(SumsMetric):
    """S|a-b| / n.

    Range 0..inf, best 0. NaN if the data has a NaN.
    """

    label = "MEAN_ABS"
    higher_is_better = False
    best = 0.0

    def compute(self, sums: Sums) -> np.ndarray:
        """Return one value a pair."""
        return ratio(sums.abs_d, sums.n, both_zero=np.nan)


METRIC = MeanAbsoluteError()
