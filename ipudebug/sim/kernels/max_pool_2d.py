"""MAX_POOL_2D: the largest integer of the window; padding never wins; exact."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.sim.kernels import Attributes, Kernel
from ipudebug.sim.kernels.node import Node
from ipudebug.sim.kernels.pooling import read_pool, reduce_windows
from ipudebug.sim.kernels.windows import restore_layout


def compute(inputs: Sequence[np.ndarray], attributes: Attributes) -> list[np.ndarray]:
    """Return the maxima in the dtype and layout of the input; raises ModelError."""
    node = Node("MAX_POOL_2D", attributes)
    x, window = read_pool(inputs, node)
    smallest = int(np.iinfo(x.dtype).min)
    return [restore_layout(reduce_windows(x, window, np.maximum, smallest, x.dtype), node)]


KERNEL = Kernel(compute)
