"""SQNR, the signal to quantisation noise ratio in decibels."""

import numpy as np

from ipudebug.metrics import SumsMetric
from ipudebug.metrics.sums import Sums, ratio


class SignalToNoise(SumsMetric):
    """10 log10(S(b^2) / S((a-b)^2)) dB; about 6 dB a bit of an ideal quantiser.

    Range -inf..inf, best inf (equal tensors, two zero ones included). -inf where b is zero and a is not. NaN if the
    data has a NaN.
    """

    label = "SQNR"
    higher_is_better = True
    best = np.inf

    def compute(self, sums: Sums) -> np.ndarray:
        """Return one value a pair, in dB."""
        with np.errstate(divide="ignore"):
            decades: np.ndarray = np.log10(ratio(sums.bb, sums.dd, both_zero=np.inf))
        return 10.0 * decades


METRIC = SignalToNoise()
