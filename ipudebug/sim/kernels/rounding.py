"""The two roundings of the chip's shifts, saturation, and the width that integers need.

All work on int32 or int64 arrays and keep the dtype. ``pick_width`` proves which of the two is wide enough.
"""

from __future__ import annotations

import numpy as np

_WIDEST = 62
"""Shifts of int64 values (below 2^62) by more than this leave nothing."""
_CEILING = 46
"""Left shifts saturate at +-2^46: far outside every clip range, and a product with 16 bits more still fits int64."""

_ROOM = (1 << 31) - (1 << 17)
"""What int32 holds, less what a zero point or a bias may add."""


def pick_width(limit: int, *counts: int) -> type[np.signedinteger]:
    """Return int32 if values up to ``limit`` (absolute) can be shifted by each of ``counts`` in it, else int64."""
    for count in counts:
        limit += 1 << min(count - 1, _WIDEST) if count > 0 else 0
        limit = max(limit, limit << min(-count, _WIDEST) if count < 0 else 0)
    return np.int32 if limit < _ROOM else np.int64


def shift_half_up(values: np.ndarray, count: int) -> np.ndarray:
    """Return (values + 2^(count-1)) >> count, or values << -count for count <= 0; the dtype of ``values`` is kept.

    The sum must fit the dtype (``pick_width``). Left shifts of int64 saturate at +-2^46.
    """
    if count <= 0:
        return _shift_left(values, -count)
    if count > _WIDEST:
        return np.zeros_like(values)
    rounded: np.ndarray = values + values.dtype.type(1 << (count - 1))
    rounded >>= count
    return rounded


def shift_half_away(values: np.ndarray, count: int) -> np.ndarray:
    """Return sign(values) * ((|values| + 2^(count-1)) >> count), or values << -count for count <= 0.

    A half is rounded away from zero; the dtype is kept. The sum must fit the dtype (``pick_width``). Left shifts of
    int64 saturate at +-2^46.
    """
    if count <= 0:
        return _shift_left(values, -count)
    if count > _WIDEST:
        return np.zeros_like(values)
    # The sign as 0 or -1: half less one makes the arithmetic shift round a tie downwards, which is away from zero.
    rounded: np.ndarray = values >> (8 * values.dtype.itemsize - 1)
    rounded += values
    rounded += values.dtype.type(1 << (count - 1))
    rounded >>= count
    return rounded


def saturate(values: np.ndarray, low: int, high: int, dtype: np.dtype) -> np.ndarray:
    """Return ``values`` clipped to low..high in ``dtype``."""
    clipped: np.ndarray = np.clip(values, low, high)
    return clipped.astype(dtype)


def _shift_left(values: np.ndarray, count: int) -> np.ndarray:
    """Return values << count; int64 values saturate at +-2^46."""
    if count == 0:
        return values
    if values.dtype == np.int64:
        count = min(count, _CEILING)
        bound = 1 << (_CEILING - count)
        values = np.clip(values, -bound, bound)
    return values << count
