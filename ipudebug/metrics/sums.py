"""What one pass over a pair of tensors yields; most metrics are formulas of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True, slots=True)
class Sums:
    """The sums of k pairs, a = sample, b = benchmark; every field is an array of shape (k,), float64.

    Attributes:
        n: number of elements.
        aa, bb, dd, ab: S(a^2), S(b^2), S((a-b)^2), S(ab).
        a, b: S(a), S(b).
        abs_b, abs_d: S|b|, S|a-b|.
        max_d: max|a-b|.
        nans_a, nans_b, infs_a, infs_b: counts of NaN and of infinite elements.
    """

    n: np.ndarray
    aa: np.ndarray
    bb: np.ndarray
    dd: np.ndarray
    ab: np.ndarray
    a: np.ndarray
    b: np.ndarray
    abs_b: np.ndarray
    abs_d: np.ndarray
    max_d: np.ndarray
    nans_a: np.ndarray
    nans_b: np.ndarray
    infs_a: np.ndarray
    infs_b: np.ndarray

    @property
    def equal(self) -> np.ndarray:
        """Whether every element of a equals its partner in b; bool, shape (k,)."""
        equal: np.ndarray = self.max_d == 0  # not dd: the square of a tiny difference may underflow
        return equal

    @property
    def nonfinite(self) -> np.ndarray:
        """How many elements of either side are NaN or infinite; shape (k,)."""
        count: np.ndarray = self.nans_a + self.nans_b + self.infs_a + self.infs_b
        return count


def join_sums(parts: Sequence[Sums]) -> Sums:
    """Return the sums of all pairs of several parts, one after the other."""
    if len(parts) == 1:
        return parts[0]
    return Sums(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Sums)))


def ratio(numerator: np.ndarray, denominator: np.ndarray, both_zero: float) -> np.ndarray:
    """Return numerator / denominator; x/0 is inf for x > 0 and ``both_zero`` for x = 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient = numerator / denominator
    return np.where((numerator == 0) & (denominator == 0), both_zero, quotient)
