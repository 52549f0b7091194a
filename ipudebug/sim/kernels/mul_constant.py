"""MUL_CONSTANT, a MUL whose second operand is a stored INT16: hu((a-z0) c, shift) + y_zero; exact.

Also the MUL by one that the vendor inserts where a tensor must change its type.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.sim.kernels import Attributes, Kernel
from ipudebug.sim.kernels.elementwise import compute_elementwise, express_elementwise, subtract_zero
from ipudebug.sim.kernels.formula import Formula, Operand
from ipudebug.sim.kernels.node import Node, align_channels, find_reach
from ipudebug.sim.kernels.rounding import pick_width, shift_half_up


def compute(inputs: Sequence[np.ndarray], attributes: Attributes) -> list[np.ndarray]:
    """Return the product; c are the multipliers of value * s0/s_y (SPEC 11.4).

    Inputs: a, c int16 (scalar, [C] or broadcast).
    """
    node = Node("MUL_CONSTANT", attributes)
    a, c = _read(inputs, node)
    (zero,) = node.zeros([a])
    shift = node.integer("shift")
    width = pick_width(find_reach(a, zero) * max(int(c.max()), -int(c.min())), shift)

    def multiply(a: np.ndarray, c: np.ndarray) -> np.ndarray:
        values = subtract_zero(a, zero, width)
        values *= c
        return shift_half_up(values, shift)

    return compute_elementwise(node, [a, align_channels(c, a, node).astype(width)], multiply)


def express(operands: Sequence[Operand], attributes: Attributes, formula: Formula) -> bool:
    """Fill a formula with the product; return False unless the second operand is a constant."""
    node = Node("MUL_CONSTANT", attributes)
    a, c = _read([operand.array for operand in operands], node)
    if not operands[1].is_constant:
        return False
    return express_elementwise(
        node, operands[:1], node.zeros([a]), [align_channels(c, a, node)], node.integer("shift"), formula
    )


def _read(inputs: Sequence[np.ndarray], node: Node) -> tuple[np.ndarray, np.ndarray]:
    """Return a and c; raises ModelError."""
    a, c = node.arrays(inputs, 2)
    node.activations([a])
    if c.dtype != np.int16:
        raise node.fail(f"expected an int16 constant, found {c.dtype}")
    return a, c


KERNEL = Kernel(compute, express=express)
