"""PRELU: t = hu(a c, slope_shift) below the zero point, else a; then hu(t m, n) + y_zero; exact on the one seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.sim.kernels import Attributes, Kernel
from ipudebug.sim.kernels.elementwise import compute_elementwise, subtract_zero
from ipudebug.sim.kernels.node import Node, align_channels
from ipudebug.sim.kernels.rounding import shift_half_up


def compute(inputs: Sequence[np.ndarray], attributes: Attributes) -> list[np.ndarray]:
    """Return the activation; c are the multipliers of the slopes, m that of s0/s_y (SPEC 11.4).

    Inputs: a, c int16 (scalar, [C] or broadcast).
    """
    node = Node("PRELU", attributes)
    a, c = node.arrays(inputs, 2)
    node.activations([a])
    if c.dtype != np.int16:
        raise node.fail(f"expected int16 slopes, found {c.dtype}")
    (zero,), (multiplier,) = node.zeros([a]), node.multipliers("multipliers", 1)
    (shift,), slope_shift = node.integers("shifts", 1), node.integer("slope_shift")

    def activate(a: np.ndarray, c: np.ndarray) -> np.ndarray:
        values = subtract_zero(a, zero, np.int64)
        below = shift_half_up(np.minimum(values, 0) * c, slope_shift)
        # One of the two is zero.
        return shift_half_up((np.maximum(values, 0) + below) * np.int64(multiplier), shift)

    return compute_elementwise(node, [a, align_channels(c, a, node).astype(np.int64)], activate)


KERNEL = Kernel(compute)
