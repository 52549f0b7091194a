"""MAX_POOL_2D: the largest integer of the window; padding never wins; exact."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.sim.kernels import Attributes, Kernel
from ipudebug.sim.kernels.formula import Formula, Operand
from ipudebug.sim.kernels.node import Node
from ipudebug.sim.kernels.pooling import read_pool, reduce_windows
from ipudebug.sim.kernels.windows import restore_layout


def compute(inputs: Sequence[np.ndarray], attributes: Attributes) -> list[np.ndarray]:
    """Return the maxima in the dtype and layout of the input; raises ModelError."""
    node = Node("MAX_POOL_2D", attributes)
    x, window = read_pool(inputs, node)
    smallest = int(np.iinfo(x.dtype).min)
    return [restore_layout(reduce_windows(x, window, np.maximum, smallest, x.dtype), node)]


def express(operands: Sequence[Operand], attributes: Attributes, formula: Formula) -> bool:
    """Fill a formula with the pool of an NCHW input, in float32; return False for any other or a dilated window.

    A dilated window may have no pixel of the input.
    """
    node = Node("MAX_POOL_2D", attributes)
    x, window = read_pool([operand.array for operand in operands], node)
    if node.is_channels_last or max(window.dilations) > 1:
        return False
    values = formula.cast(operands[0].name, np.float32)
    pooled = formula.add("MaxPool", values, kernel_shape=window.kernel, strides=window.strides, pads=window.pads)
    shape = (*x.shape[:2], *window.count_outputs(*x.shape[2:]))
    formula.give(formula.cast(pooled, x.dtype), shape, x.dtype)
    return True


KERNEL = Kernel(compute, express=express)
