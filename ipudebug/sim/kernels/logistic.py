"""LOGISTIC: floor(1 / (1 + exp(-x)) / y_scale + 0.5) + y_zero in float64; the chip uses an unknown table.

The chip's values are up to 1.24 steps above and 0.56 below the real ones (SPEC 11.5).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.sim.kernels import Attributes, Kernel
from ipudebug.sim.kernels.node import Node


def compute(inputs: Sequence[np.ndarray], attributes: Attributes) -> list[np.ndarray]:
    """Return the sigmoid of the input, looked up for every value that its dtype can have; raises ModelError."""
    node = Node("LOGISTIC", attributes)
    (x,) = node.arrays(inputs, 1)
    node.activations([x])
    x_scale, y_scale = node.scale("x_scale"), node.scale("y_scale")
    x_zero = node.zero_of(x, "x_zero")
    dtype = node.dtype
    low, high = node.clip_range
    info = np.iinfo(x.dtype)
    real = (np.arange(int(info.min), int(info.max) + 1) - x_zero) * x_scale
    half = np.exp(-np.abs(real))  # never overflows
    sigmoid = np.where(real < 0, half, 1) / (1 + half)
    steps = np.floor(sigmoid / y_scale + 0.5) + node.zero_of(np.empty(0, dtype), "y_zero")
    table = np.clip(steps, low, high).astype(dtype)
    return [np.asarray(np.take(table, x.astype(np.int32) - int(info.min)))]


KERNEL = Kernel(compute, status="inexact")
