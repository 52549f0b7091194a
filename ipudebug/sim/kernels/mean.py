"""MEAN: floor(sum / count) of the stored integers over some axes; exact for sums that are not negative."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from ipudebug.sim.kernels import Attributes, Kernel
from ipudebug.sim.kernels.node import Node


def compute(inputs: Sequence[np.ndarray], attributes: Attributes) -> list[np.ndarray]:
    """Return the averages in the input's dtype; raises ModelError.

    ``axes`` count in the layout that the tensor has; ``keepdims`` (default 1) leaves them with size 1.
    """
    node = Node("MEAN", attributes)
    (x,) = node.arrays(inputs, 1)
    node.activations([x])
    axes = node.axes("axes", x.ndim)
    sums = x.sum(axis=tuple(axes), dtype=np.int64, keepdims=bool(node.integer("keepdims", 1)))
    return [np.asarray(sums // prod(x.shape[axis] for axis in axes)).astype(x.dtype)]


KERNEL = Kernel(compute)
