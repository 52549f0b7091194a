"""SOFTMAX: floor(p / y_scale + 0.5) + y_zero with p computed in float64; the chip uses an unknown table.

With y_scale = 1/32767, 10 of 10 outputs of a small net are the chip's, 8 of 10 of another, and 70 % of 28 200 of a
detector; the rest are within two steps (SPEC 11.5).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.sim.kernels import Attributes, Kernel
from ipudebug.sim.kernels.node import Node


def compute(inputs: Sequence[np.ndarray], attributes: Attributes) -> list[np.ndarray]:
    """Return the probabilities along ``axis``; raises ModelError.

    Only differences of x matter, so that its zero point is not needed.
    """
    node = Node("SOFTMAX", attributes)
    (x,) = node.arrays(inputs, 1)
    node.activations([x])
    axis = node.axis("axis", x.ndim)
    x_scale, y_scale = node.scale("x_scale"), node.scale("y_scale")
    dtype = node.dtype
    low, high = node.clip_range
    differences = x.astype(np.int32) - x.max(axis=axis, keepdims=True).astype(np.int32)
    powers = np.exp(differences * x_scale)
    steps = np.floor(powers / (powers.sum(axis=axis, keepdims=True) * y_scale) + 0.5)
    zero = node.zero_of(np.empty(0, dtype), "y_zero")
    return [np.ascontiguousarray(np.clip(steps + zero, low, high).astype(dtype))]


KERNEL = Kernel(compute, status="inexact")
