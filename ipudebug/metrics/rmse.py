"""RMSE as the vendor uses the word: a relative L1 error, not the root of MSE."""

import numpy as np

from ipudebug.metrics import SumsMetric
from ipudebug.metrics.sums import Sums, ratio


class RelativeMeanError(SumsMetric):
    """S|a-b| / S|b|, the vendor's formula; not symmetric: b is the benchmark.

    Range 0..inf, best 0. inf where only b is zero, NaN where both are, and if the data has a NaN.
    """

    label = "RMSE"
    higher_is_better = False
    best = 0.0

    def compute(self, sums: Sums) -> np.ndarray:
        """Return one value a pair."""
        return ratio(sums.abs_d, sums.abs_b, both_zero=np.nan)


METRIC = RelativeMeanError()
