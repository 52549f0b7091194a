"""P99_ABS, the 99th percentile of the absolute error."""

import math

import numpy as np

QUANTILE = 0.99


class HighPercentile:
    """The 99th percentile of |a-b|, linearly interpolated as by numpy.percentile; exact.

    Range 0..inf, best 0. NaN if the data has a NaN. Only the largest hundredth of the errors is kept in memory.
    """

    label = "P99_ABS"
    higher_is_better = False
    best = 0.0

    def start(self, size: int) -> "LargestErrors":
        """Return an accumulator for one pair of ``size`` elements."""
        return LargestErrors(size)


class LargestErrors:
    """The errors from the one below the percentile upwards."""

    def __init__(self, size: int) -> None:
        """Expect ``size`` elements."""
        self._position = QUANTILE * (size - 1)
        self._count = max(size, 1) - math.floor(self._position)  # how many of the largest settle the answer
        self._kept: list[np.ndarray] = []
        self._kept_size = 0
        self._least = -math.inf  # a lower bound of the answer once enough is kept
        self._has_nan = False

    def update(self, sample: np.ndarray, benchmark: np.ndarray) -> None:
        """Take two flat float64 arrays of equal length."""
        with np.errstate(invalid="ignore"):
            errors = np.abs(sample - benchmark)
        self._has_nan = self._has_nan or bool(np.isnan(errors).any())
        errors = errors[errors >= self._least]
        self._kept.append(errors)
        self._kept_size += errors.size
        if self._kept_size > 2 * self._count + 65536:
            self._shrink()

    def _shrink(self) -> None:
        """Keep only as many of the largest as the answer needs."""
        everything = np.concatenate(self._kept)
        if everything.size > self._count:
            everything = np.partition(everything, everything.size - self._count)[-self._count :]
            self._least = float(everything.min())
        self._kept, self._kept_size = [everything], everything.size

    def value(self) -> float:
        """Return the percentile of all elements."""
        if self._has_nan or not self._kept:
            return math.nan
        self._shrink()
        largest = np.sort(self._kept[0])
        fraction = self._position - math.floor(self._position)
        low, high = float(largest[0]), float(largest[min(1, largest.size - 1)])
        return low if low == high or fraction == 0 else low + fraction * (high - low)


METRIC = HighPercentile()
