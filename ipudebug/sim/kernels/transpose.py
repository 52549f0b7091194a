"""TRANSPOSE: a copy in another order; what the chip does with it was not seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.sim.kernels import Attributes, Kernel
from ipudebug.sim.kernels.node import Node


def compute(inputs: Sequence[np.ndarray], attributes: Attributes) -> list[np.ndarray]:
    """Return the input with its axes in the order ``perm``; raises ModelError."""
    node = Node("TRANSPOSE", attributes)
    (x,) = node.arrays(inputs, 1)
    order = node.integers("perm", x.ndim)
    if sorted(order) != list(range(x.ndim)):
        raise node.fail(f"expected an order of the axes 0..{x.ndim - 1}, found {order}")
    return [x.transpose(order).copy(order="C")]


KERNEL = Kernel(compute, status="inexact")
