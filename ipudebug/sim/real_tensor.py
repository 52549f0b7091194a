"""Stored integers -> the real numbers that they stand for: float32(q - zero point) * float32(scale) (SPEC 6.6)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ipudebug.dumps.header import FLOAT
from ipudebug.tensor import QuantParams, Tensor

_EXACT = 1 << 23
"""Zero points from which the difference to a 16-bit integer may have more bits than a float32."""


def to_real(array: np.ndarray, quant: QuantParams | None, out: np.ndarray | None = None) -> np.ndarray:
    """Return float32(q - zero point) * float32(scale); without ``quant`` the numbers themselves in float32.

    ``out`` is where to, if it is given.
    """
    made: np.ndarray = np.empty(array.shape, FLOAT) if out is None else out
    if quant is None:
        np.copyto(made, array, casting="unsafe")
        return made
    zero = quant.zero_point[0]
    if array.dtype.itemsize <= 2 and abs(zero) < _EXACT:  # both, and their difference, are exact as float32
        np.subtract(array, np.float32(zero), out=made)
    else:
        np.copyto(made, array.astype(np.int32) - np.int32(zero), casting="unsafe")
    made *= np.float32(quant.scale[0])
    return made


class RealTensor(Tensor):
    """Integers, seen as the real numbers that they stand for; these are made where they are asked for."""

    __slots__ = ("_quant",)
    in_memory = False

    def __init__(self, stored: Tensor, quant: QuantParams | None) -> None:
        """Refer to integers; without ``quant`` they are numbers themselves."""
        super().__init__(replace(stored.info, dtype=FLOAT, quant=None), stored.array)
        self._quant = quant

    @property
    def array(self) -> np.ndarray:
        """All of them, in float32."""
        return to_real(self._array, self._quant)

    def copy_into(self, out: np.ndarray, start: int) -> None:
        """Make ``out.size`` of them, counted flat from ``start``; ``out`` is float32 or wider."""
        flat = self._array.reshape(-1)[start : start + out.size]
        if out.dtype == FLOAT:
            to_real(flat, self._quant, out)
        else:
            np.copyto(out, to_real(flat, self._quant), casting="unsafe")
