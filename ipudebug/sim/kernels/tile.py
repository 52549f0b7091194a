"""TILE: copies; exact."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.sim.kernels import Attributes, Kernel
from ipudebug.sim.kernels.node import Node


def compute(inputs: Sequence[np.ndarray], attributes: Attributes) -> list[np.ndarray]:
    """Return the input repeated ``repeats[i]`` times along axis i; raises ModelError."""
    node = Node("TILE", attributes)
    (x,) = node.arrays(inputs, 1)
    repeats = node.integers("repeats", x.ndim)
    if min(repeats, default=1) < 1:
        raise node.fail(f"expected positive repeats, found {repeats}")
    return [np.ascontiguousarray(np.tile(x, repeats))]


KERNEL = Kernel(compute)
