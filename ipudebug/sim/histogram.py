"""How often each value occurs, in buckets that do not depend on the data, so that the order of images does not matter.

A bucket is a float32 number without its lowest 16 bits: below 1 % wide, at any size. As a number of 16 bits it is the
place of its count in a table; the upper bit, the sign, makes the upper half of the table that of negative numbers.
"""

from __future__ import annotations

import numpy as np

DROPPED = 16
"""Bits of a float32 that do not count."""
NEGATIVE = 1 << (31 - DROPPED)
"""The first place of a negative number."""


class Histogram:
    """Counts of values; empty at first."""

    def __init__(self) -> None:
        """Begin without a value."""
        self._table = np.zeros(0, np.int64)

    def add(self, values: np.ndarray) -> None:
        """Count float32 values, which must be finite."""
        places = np.ascontiguousarray(values, np.float32).view(np.uint32).reshape(-1) >> DROPPED
        counts = np.bincount(places, minlength=len(self._table))
        counts[: len(self._table)] += self._table
        self._table = counts

    def _list_places(self) -> np.ndarray:
        """Return the places of the buckets that have a value, in the order of the values."""
        places = np.flatnonzero(self._table)
        first = np.searchsorted(places, NEGATIVE)
        return np.concatenate([places[first:][::-1], places[:first]])

    @property
    def counts(self) -> np.ndarray:
        """How many values there are in each bucket, int64."""
        counts: np.ndarray = self._table[self._list_places()]
        return counts

    @property
    def edges(self) -> tuple[np.ndarray, np.ndarray]:
        """The smallest and the largest value that can be in each bucket, ascending, float64."""
        places = self._list_places()
        magnitude = ((places % NEGATIVE) << DROPPED).astype(np.uint32)
        near = magnitude.view(np.float32).astype(np.float64)
        far = (magnitude | np.uint32((1 << DROPPED) - 1)).view(np.float32).astype(np.float64)
        return np.where(places >= NEGATIVE, -far, near), np.where(places >= NEGATIVE, -near, far)

    @property
    def centres(self) -> np.ndarray:
        """The middle of each bucket, ascending, float64; that of the values around zero is zero."""
        low, high = self.edges
        return np.where((low == 0) | (high == 0), 0.0, (low + high) / 2)
