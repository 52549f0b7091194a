"""MSE, the mean squared error."""

import numpy as np

from ipudebug.metrics import SumsMetric
from ipudebug.metrics.sums import Sums, ratio


class MeanSquaredError(SumsMetric):
    """S((a-b)^2) / n, the vendor's formula.

    Range 0..inf, best 0. NaN if the data has a NaN, inf if it has an infinity on one side only.
    """

    label = "MSE"
    higher_is_better = False
    best = 0.0

    def compute(self, sums: Sums) -> np.ndarray:
        """Return one value a pair."""
        return ratio(sums.dd, sums.n, both_zero=np.nan)


METRIC = MeanSquaredError()
