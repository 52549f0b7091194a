"""AVERAGE_POOL_2D: floor(sum / count) of the stored integers; exact for all that was seen.

Not seen were negative sums (floor or truncation?) and padding. Padding is left out of the count, or counts as the zero
point with ``count_include_pad``, as in ONNX.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from ipudebug.sim.kernels import Attributes, Kernel
from ipudebug.sim.kernels.formula import Formula, Operand
from ipudebug.sim.kernels.node import Node, find_reach
from ipudebug.sim.kernels.pooling import read_pool, reduce_windows
from ipudebug.sim.kernels.windows import Window, restore_layout


def compute(inputs: Sequence[np.ndarray], attributes: Attributes) -> list[np.ndarray]:
    """Return the averages in the dtype and layout of the input; raises ModelError."""
    node = Node("AVERAGE_POOL_2D", attributes)
    x, window = read_pool(inputs, node)
    counts, padding = _read_padding(x, window, node)
    width = np.dtype(np.int32 if prod(window.kernel) < 1 << 15 else np.int64)
    sums = reduce_windows(x, window, np.add, padding, width)
    return [restore_layout(np.floor_divide(sums, counts, out=sums), node).astype(x.dtype)]


def express(operands: Sequence[Operand], attributes: Attributes, formula: Formula) -> bool:
    """Fill a formula with the pool of an NCHW input; return False for any other, or where it would not be exact.

    The sums are a float32 convolution. A quotient of integers below 2^24 that is no integer is further from the next
    one than float32 rounds it.
    """
    node = Node("AVERAGE_POOL_2D", attributes)
    x, window = read_pool([operand.array for operand in operands], node)
    counts, padding = _read_padding(x, window, node)
    if node.is_channels_last or padding or prod(window.kernel) * find_reach(x) >= 1 << 24:
        return False
    sums = formula.add(
        "Conv", formula.cast(operands[0].name, np.float32), np.ones((x.shape[1], 1, *window.kernel), np.float32),
        kernel_shape=window.kernel, strides=window.strides, dilations=window.dilations, pads=window.pads,
        group=x.shape[1],
    )  # fmt: skip
    quotient = formula.add("Div", sums, np.asarray(counts, np.float32))
    shape = (*x.shape[:2], *window.count_outputs(*x.shape[2:]))
    formula.give(formula.cast(formula.add("Floor", quotient), x.dtype), shape, x.dtype)
    return True


def _read_padding(x: np.ndarray, window: Window, node: Node) -> tuple[np.ndarray, int]:
    """Return how many pixels of each window count, a scalar or [1, 1, OH, OW], and the padding's value."""
    size = prod(window.kernel)
    if not any(window.pads):
        return np.array(size), 0
    if node.integer("count_include_pad", 0):
        return np.array(size), node.zero_of(x, "x_zero")
    pixels = np.ones((1, 1, *x.shape[2:]), np.int64)
    counts = reduce_windows(pixels, window, np.add, 0, pixels.dtype)
    if np.min(counts) < 1:
        raise node.fail(f"a window has no pixel of the input of shape {list(x.shape)}: {window}")
    return counts, 0


KERNEL = Kernel(compute, express=express)
