"""MAX_ABS, the largest absolute error."""

import numpy as np

from ipudebug.metrics import SumsMetric
from ipudebug.metrics.sums import Sums


class LargestError(SumsMetric):
    """max|a-b|.

    Range 0..inf, best 0. NaN if the data has a NaN.
    """

    label = "MAX_ABS"
    higher_is_better = False
    best = 0.0

    def compute(self, sums: Sums) -> np.ndarray:
        """Return one value a pair."""
        return sums.max_d


METRIC = LargestError()
