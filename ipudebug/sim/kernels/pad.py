"""PAD: a copy with a frame of the zero point; exact."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.sim.kernels import Attributes, Kernel
from ipudebug.sim.kernels.dilation import spread
from ipudebug.sim.kernels.node import Node


def compute(inputs: Sequence[np.ndarray], attributes: Attributes) -> list[np.ndarray]:
    """Return the input with ``pads`` (all begins, then all ends) elements of ``value`` around it; raises ModelError."""
    node = Node("PAD", attributes)
    (x,) = node.arrays(inputs, 1)
    return [spread(x, [0] * x.ndim, node)]


KERNEL = Kernel(compute)
