"""REL_L2, the relative Euclidean error."""

import numpy as np

from ipudebug.metrics import SumsMetric
from ipudebug.metrics.sums import Sums, ratio


class RelativeL2(SumsMetric):
    """sqrt(S((a-b)^2) / S(b^2)).

    Range 0..inf, best 0. inf where only b is zero, 0 where both are (they are equal). NaN if the data has a NaN.
    """

    label = "REL_L2"
    higher_is_better = False
    best = 0.0

    def compute(self, sums: Sums) -> np.ndarray:
        """Return one value a pair."""
        root: np.ndarray = np.sqrt(ratio(sums.dd, sums.bb, both_zero=0.0))
        return root


METRIC = RelativeL2()
