"""MUL of two tensors: hu(hu((a-z0)(b-z1), 16) m, shift-16) + y_zero; exact on the one that was seen, of three INT16."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.sim.kernels import Attributes, Kernel
from ipudebug.sim.kernels.elementwise import compute_elementwise, subtract_zero
from ipudebug.sim.kernels.node import Node, find_reach
from ipudebug.sim.kernels.rounding import pick_width, shift_half_up

FIRST = 16
"""Bits that the product loses before it is multiplied again."""


def compute(inputs: Sequence[np.ndarray], attributes: Attributes) -> list[np.ndarray]:
    """Return the product; the multiplier is that of s0 s1/s_y (SPEC 11.4)."""
    node = Node("MUL", attributes)
    a, b = arrays = node.arrays(inputs, 2)
    node.activations(arrays)
    z0, z1 = node.zeros(arrays)
    (multiplier,) = node.multipliers("multipliers", 1)
    shift = node.integer("shift") - FIRST
    product = find_reach(a, z0) * find_reach(b, z1)
    widths = pick_width(product, FIRST), pick_width(((product >> FIRST) + 1) * abs(multiplier), shift)
    width = np.int64 if np.int64 in widths else np.int32

    def multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        values = subtract_zero(a, z0, width) * subtract_zero(b, z1, width)
        values = shift_half_up(values, FIRST)
        values *= width(multiplier)
        return shift_half_up(values, shift)

    return compute_elementwise(node, arrays, multiply)


KERNEL = Kernel(compute)
