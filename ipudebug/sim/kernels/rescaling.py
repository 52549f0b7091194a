"""The last step of most kernels in a formula: integers times multipliers, added up, shifted right with rounding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ipudebug.sim.kernels.formula import SHIFTS, Formula

_INT32 = 1 << 31
_FLOAT64 = 1 << 52
"""Float64 has all integers up to twice this, which leaves a bit for what is halved."""
Integers = np.ndarray | int


@dataclass(frozen=True, slots=True)
class Product:
    """A tensor of integers and what it is multiplied by.

    Attributes:
        name: of the tensor, of any dtype that holds its values.
        low, high: the range of its values.
        multiplier: integers in a shape that broadcasts to the tensor.
    """

    name: str
    low: Integers
    high: Integers
    multiplier: Integers


@dataclass(frozen=True, slots=True)
class Target:
    """What comes out: clipped to ``bounds`` once ``zero`` is added, uint8 or int16."""

    zero: int
    bounds: tuple[int, int]
    dtype: np.dtype


def express_rescaling(
    products: Sequence[Product], offset: Integers, shift: int, target: Target, formula: Formula
) -> str | None:
    """Append clip(hu(sum of products + offset, shift) + zero) and return its name; None where it would not be exact.

    In int32 with a shift in float32 where the largest sum allows it, else in float64, at twice the cost.
    """
    half = 1 << shift - 1 if 0 < shift < _FLOAT64.bit_length() else 0
    rest = np.asarray(offset, np.int64) + half
    largest = np.abs(rest).astype(np.float64)
    for product in products:
        reach = np.maximum(np.abs(product.low), np.abs(product.high))
        largest = largest + reach * np.abs(np.asarray(product.multiplier, np.float64))
    if shift in SHIFTS and largest.max() < _INT32:
        sums = _add_up(products, rest, np.int32, 0, formula)
        return formula.shift_down(sums, shift, target.zero, target.bounds, target.dtype)
    if largest.max() >= _FLOAT64 or abs(shift) >= _FLOAT64.bit_length():
        return None
    values = formula.add("Floor", _add_up(products, rest, np.float64, shift, formula))
    if target.zero:
        values = formula.add("Add", values, np.float64(target.zero))
    low, high = map(np.float64, target.bounds)
    return formula.cast(formula.add("Clip", values, low, high), target.dtype)


def _add_up(products: Sequence[Product], rest: np.ndarray, dtype: type[np.number], shift: int, formula: Formula) -> str:
    """Append (sum of products + rest) / 2^shift in ``dtype``."""
    scale = 1 if shift == 0 else 2.0**-shift
    total = ""
    for product in products:
        factor = np.asarray(product.multiplier * scale).astype(dtype)
        term = formula.add("Mul", formula.cast(product.name, dtype), factor)
        total = formula.add("Add", total, term) if total else term
    return formula.add("Add", total, (rest * scale).astype(dtype)) if rest.any() else total
