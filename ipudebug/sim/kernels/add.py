"""ADD of two tensors: hu((a-z0) m0 + (b-z1) m1, shift) + y_zero; exact on 20 ADDs of a detector and small nets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.sim.kernels import Attributes, Kernel
from ipudebug.sim.kernels.elementwise import compute_elementwise, express_elementwise, subtract_zero
from ipudebug.sim.kernels.formula import Formula, Operand
from ipudebug.sim.kernels.node import Node, find_reach
from ipudebug.sim.kernels.rounding import pick_width, shift_half_up


def compute(inputs: Sequence[np.ndarray], attributes: Attributes) -> list[np.ndarray]:
    """Return the sum; the multipliers are those of s0/s_y and s1/s_y with a common shift (SPEC 11.4)."""
    return combine(inputs, Node("ADD", attributes), 1)


def express(operands: Sequence[Operand], attributes: Attributes, formula: Formula) -> bool:
    """Fill a formula with the sum."""
    return express_combination(operands, Node("ADD", attributes), 1, formula)


def express_combination(operands: Sequence[Operand], node: Node, sign: int, formula: Formula) -> bool:
    """Fill a formula with what ``combine`` returns."""
    arrays = node.arrays([operand.array for operand in operands], 2)
    node.activations(arrays)
    m0, m1 = node.multipliers("multipliers", 2)
    return express_elementwise(node, operands, node.zeros(arrays), [m0, sign * m1], node.integer("shift"), formula)


def combine(inputs: Sequence[np.ndarray], node: Node, sign: int) -> list[np.ndarray]:
    """Return hu((a-z0) m0 + sign (b-z1) m1, shift) + y_zero; raises ModelError."""
    a, b = arrays = node.arrays(inputs, 2)
    node.activations(arrays)
    z0, z1 = node.zeros(arrays)
    m0, m1 = node.multipliers("multipliers", 2)
    m1 *= sign
    shift = node.integer("shift")
    width = pick_width(find_reach(a, z0) * abs(m0) + find_reach(b, z1) * abs(m1), shift)

    def add(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        first, second = subtract_zero(a, z0, width), subtract_zero(b, z1, width)
        first *= width(m0)
        second *= width(m1)
        return shift_half_up(first + second, shift)

    return compute_elementwise(node, arrays, add)


KERNEL = Kernel(compute, express=express)
