"""The two roundings of the chip's shifts, and saturation."""

from __future__ import annotations

import numpy as np


def shift_half_up(values: np.ndarray, count: int) -> np.ndarray:
    """Return (values + 2^(count-1)) >> count, or values << -count for count <= 0; the dtype of ``values`` is kept.

    The caller sees to it that the sum fits the dtype.
    """
    if count <= 0:
        return values << -count
    return (values + (1 << (count - 1))) >> count


def shift_half_away(values: np.ndarray, count: int) -> np.ndarray:
    """Return sign(values) * ((|values| + 2^(count-1)) >> count), or values << -count for count <= 0.

    A half is rounded away from zero. The caller sees to it that the sum fits the dtype.
    """
    if count <= 0:
        return values << -count
    half = 1 << (count - 1)
    # For negative values a half less one makes the arithmetic shift round a tie downwards, which is away from zero.
    shifted: np.ndarray = (values + (half - (values < 0))) >> count
    return shifted


def saturate(values: np.ndarray, low: int, high: int, dtype: np.dtype) -> np.ndarray:
    """Return ``values`` clipped to low..high in ``dtype``."""
    return np.clip(values, low, high).astype(dtype)
