"""AVERAGE_POOL_2D: floor(sum / count) of the stored integers; exact for all that was seen.

Not seen were negative sums (floor or truncation?) and padding. Padding is left out of the count, or counts as the zero
point with ``count_include_pad``, as in ONNX.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from ipudebug.sim.kernels import Attributes, Kernel
from ipudebug.sim.kernels.node import Node
from ipudebug.sim.kernels.pooling import read_pool, reduce_windows
from ipudebug.sim.kernels.windows import Window, restore_layout


def compute(inputs: Sequence[np.ndarray], attributes: Attributes) -> list[np.ndarray]:
    """Return the averages in the dtype and layout of the input; raises ModelError."""
    node = Node("AVERAGE_POOL_2D", attributes)
    x, window = read_pool(inputs, node)
    size = prod(window.kernel)
    width = np.dtype(np.int32 if size < 1 << 15 else np.int64)
    if node.integer("count_include_pad", 0):
        counts: np.ndarray | int = size
        padding = node.zero_of(x, "x_zero") if any(window.pads) else 0
    else:
        counts = _count_pixels(x, window, width) if any(window.pads) else size
        padding = 0
        if np.min(counts) < 1:
            raise node.fail(f"a window has no pixel of the input of shape {list(x.shape)}: {window}")
    sums = reduce_windows(x, window, np.add, padding, width)
    return [restore_layout(np.floor_divide(sums, counts, out=sums), node).astype(x.dtype)]


def _count_pixels(x: np.ndarray, window: Window, width: np.dtype) -> np.ndarray:
    """Return [1, 1, OH, OW]: how many pixels of each window are not padding."""
    pixels = np.ones((1, 1, *x.shape[2:]), width)
    return reduce_windows(pixels, window, np.add, 0, width)


KERNEL = Kernel(compute)
