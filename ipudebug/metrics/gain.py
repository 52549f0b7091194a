"""GAIN, the slope of the straight line that fits the sample over the benchmark."""

import numpy as np

from ipudebug.metrics import SumsMetric
from ipudebug.metrics.sums import Sums


class Gain(SumsMetric):
    """g of the least-squares fit a = g b + o: (n S(ab) - S(a)S(b)) / (n S(b^2) - S(b)^2).

    Best 1; another value with a COS near 1 means a wrong scale. NaN where b is constant (no slope can be fitted),
    unless a equals b, and if the data has a NaN or an infinity.
    """

    label = "GAIN"
    higher_is_better = None
    best = 1.0

    def compute(self, sums: Sums) -> np.ndarray:
        """Return one value a pair."""
        return np.where(sums.equal, 1.0, fit_line(sums)[0])


def fit_line(sums: Sums) -> tuple[np.ndarray, np.ndarray]:
    """Return gain and offset of the fit a = gain b + offset; NaN where b is constant or anything is not finite."""
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = sums.n * sums.bb - sums.b * sums.b
        finite = np.isfinite(sums.aa) & np.isfinite(sums.bb)
        flat = ~finite | ~(spread > 1e-12 * sums.n * sums.bb)  # what cancellation leaves of a constant tensor
        gain = np.where(flat, np.nan, (sums.n * sums.ab - sums.a * sums.b) / spread)
        return gain, (sums.a - gain * sums.b) / sums.n


METRIC = Gain()
