"""SPLIT_V: copies of consecutive parts; exact."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from ipudebug.sim.kernels import Attributes, Kernel
from ipudebug.sim.kernels.node import Node


def compute(inputs: Sequence[np.ndarray], attributes: Attributes) -> list[np.ndarray]:
    """Return the parts of the sizes ``split`` along ``axis``; raises ModelError if they are not the whole."""
    node = Node("SPLIT_V", attributes)
    (x,) = node.arrays(inputs, 1)
    axis = node.axis("axis", x.ndim)
    sizes = node.integers("split")
    if not sizes or min(sizes) < 1 or sum(sizes) != x.shape[axis]:
        raise node.fail(f"expected parts that add up to {x.shape[axis]}, found {sizes}")
    return [part.copy(order="C") for part in np.split(x, list(accumulate(sizes))[:-1], axis)]


KERNEL = Kernel(compute)
