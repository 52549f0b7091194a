"""COS, the cosine similarity."""

import numpy as np

from ipudebug.metrics import SumsMetric
from ipudebug.metrics.sums import Sums

TINY = 1e-8
"""A norm below it counts as zero, as in the vendor's Python tool."""


class CosineSimilarity(SumsMetric):
    """S(ab) / (sqrt(S(a^2)) sqrt(S(b^2))), the vendor's formula.

    Range -1..1, best 1. 0 where a norm is below TINY, even if both are: the verdict treats two zero tensors as equal.
    NaN if the data has a NaN or an infinity.
    """

    label = "COS"
    higher_is_better = True
    best = 1.0

    def compute(self, sums: Sums) -> np.ndarray:
        """Return one value a pair."""
        norm_a, norm_b = np.sqrt(sums.aa), np.sqrt(sums.bb)
        with np.errstate(divide="ignore", invalid="ignore"):
            cos = np.clip(sums.ab / (norm_a * norm_b), -1.0, 1.0)
        cos = np.where(sums.equal, 1.0, cos)
        finite = np.isfinite(norm_a) & np.isfinite(norm_b)  # a NaN beside a zero tensor stays a NaN
        return np.where(finite & ((norm_a < TINY) | (norm_b < TINY)), 0.0, cos)


METRIC = CosineSimilarity()
