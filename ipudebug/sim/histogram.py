"""How often each value occurs, in buckets that do not depend on the data, so that the order of images does not matter.

A bucket is a float32 number without its lowest 16 bits: below 1 % wide, at any size.
"""

from __future__ import annotations

import numpy as np

DROPPED = 16
"""Bits of a float32 that do not count."""


class Histogram:
    """Counts of values; empty at first."""

    def __init__(self) -> None:
        """Begin without a value."""
        self._buckets = np.empty(0, np.int32)
        self._counts = np.empty(0, np.int64)

    def add(self, values: np.ndarray) -> None:
        """Count float32 values, which must be finite."""
        bits = np.ascontiguousarray(values, np.float32).view(np.int32).reshape(-1) >> DROPPED
        # Negative numbers are stored as sign and magnitude: turned round, buckets are in the order of their values.
        buckets, counts = np.unique(np.where(bits < 0, -32768 - bits - 1, bits), return_counts=True)
        merged, places = np.unique(np.concatenate([self._buckets, buckets]), return_inverse=True)
        weights = np.concatenate([self._counts, counts])
        self._buckets = merged.astype(np.int32)
        self._counts = np.zeros(len(merged), np.int64)
        np.add.at(self._counts, places, weights)

    @property
    def counts(self) -> np.ndarray:
        """How many values there are in each bucket, int64."""
        return self._counts

    @property
    def edges(self) -> tuple[np.ndarray, np.ndarray]:
        """The smallest and the largest value that can be in each bucket, ascending, float64."""
        bits = self._buckets
        magnitude = np.where(bits < 0, -bits - 1, bits).astype(np.int32) << DROPPED
        near = magnitude.view(np.float32).astype(np.float64)
        far = (magnitude | ((1 << DROPPED) - 1)).view(np.float32).astype(np.float64)
        return np.where(bits < 0, -far, near), np.where(bits < 0, -near, far)

    @property
    def centres(self) -> np.ndarray:
        """The middle of each bucket, ascending, float64; that of the values around zero is zero."""
        low, high = self.edges
        return np.where((self._buckets == 0) | (self._buckets == -1), 0.0, (low + high) / 2)
