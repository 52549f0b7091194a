"""MAX_REL, the largest relative error of a single element."""

import numpy as np


class LargestRelativeError:
    """max over the elements of |a-b| / |b|.

    Range 0..inf, best 0. An element with b = 0 counts 0 if a = 0 too, else inf. NaN if the data has a NaN.
    """

    label = "MAX_REL"
    higher_is_better = False
    best = 0.0

    def start(self, size: int) -> "RelativeErrors":
        """Return an accumulator for one pair."""
        return RelativeErrors()


class RelativeErrors:
    """The largest relative error so far."""

    def __init__(self) -> None:
        """Start without any element."""
        self._largest = 0.0

    def update(self, sample: np.ndarray, benchmark: np.ndarray) -> None:
        """Take two flat float64 arrays of equal length."""
        with np.errstate(divide="ignore", invalid="ignore"):
            errors = np.abs(sample - benchmark)
            relative = np.where(errors == 0, 0.0, errors / np.abs(benchmark))
        self._largest = float(np.maximum(self._largest, relative.max(initial=0.0)))

    def value(self) -> float:
        """Return the largest of all elements; np.maximum has kept a NaN."""
        return self._largest


METRIC = LargestRelativeError()
