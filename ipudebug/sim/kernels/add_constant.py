"""ADD_CONSTANT, an ADD whose second operand is a stored INT32: hu(hu((a-z0) m, shift-1) + c, 1) + y_zero; exact.

The constant has one binary place, c = round(2 value / s_y), which the last shift rounds away.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.sim.kernels import Attributes, Kernel
from ipudebug.sim.kernels.elementwise import compute_elementwise, express_elementwise, subtract_zero
from ipudebug.sim.kernels.formula import Formula, Operand
from ipudebug.sim.kernels.node import Node, align_channels, find_reach
from ipudebug.sim.kernels.rounding import pick_width, shift_half_up

LARGEST_SHIFT = 31
"""Up to here a constant, shifted, fits int64."""


def compute(inputs: Sequence[np.ndarray], attributes: Attributes) -> list[np.ndarray]:
    """Return the sum; the multiplier is that of s0/s_y (SPEC 11.4). Inputs: a, c int32 (scalar, [C] or broadcast)."""
    node = Node("ADD_CONSTANT", attributes)
    a, c = _read(inputs, node)
    (zero,), (multiplier,) = node.zeros([a]), node.multipliers("multipliers", 1)
    shift = node.integer("shift")
    product = find_reach(a, zero) * abs(multiplier)
    largest = max(int(c.max()), -int(c.min()))
    width = pick_width(product, shift - 1)
    if (product >> max(shift - 1, 0)) + 1 + largest >= 1 << 30:
        width = np.int64

    def add(a: np.ndarray, c: np.ndarray) -> np.ndarray:
        values = subtract_zero(a, zero, width)
        values *= width(multiplier)
        return shift_half_up(shift_half_up(values, shift - 1) + c, 1)

    return compute_elementwise(node, [a, align_channels(c, a, node).astype(width)], add)


def express(operands: Sequence[Operand], attributes: Attributes, formula: Formula) -> bool:
    """Fill a formula with the sum in one shift; return False unless the second operand is a constant.

    hu(hu(p, n - 1) + c, 1) = (p + 2^(n-2) + (c + 1) 2^(n-1)) >> n = hu(p + 2^(n-2) + c 2^(n-1), n)
    """
    node = Node("ADD_CONSTANT", attributes)
    a, c = _read([operand.array for operand in operands], node)
    (multiplier,) = node.multipliers("multipliers", 1)
    shift = node.integer("shift")
    if not operands[1].is_constant or not 2 <= shift <= LARGEST_SHIFT:
        return False
    constant = (align_channels(c, a, node).astype(np.int64) << (shift - 1)) + (1 << (shift - 2))
    return express_elementwise(node, operands[:1], node.zeros([a]), [multiplier], shift, formula, constant)


def _read(inputs: Sequence[np.ndarray], node: Node) -> tuple[np.ndarray, np.ndarray]:
    """Return a and c; raises ModelError."""
    a, c = node.arrays(inputs, 2)
    node.activations([a])
    if c.dtype != np.int32:
        raise node.fail(f"expected an int32 constant, found {c.dtype}")
    return a, c


KERNEL = Kernel(compute, express=express)
