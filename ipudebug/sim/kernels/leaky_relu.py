"""LEAKY_RELU: RELU with a multiplier of its own, of alpha s0/s_16, for what is below the zero point; exact."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.sim.kernels import Attributes, Kernel
from ipudebug.sim.kernels.node import Node
from ipudebug.sim.kernels.rectify import rectify


def compute(inputs: Sequence[np.ndarray], attributes: Attributes) -> list[np.ndarray]:
    """Return the activation; ``rectify`` has the arithmetic."""
    node = Node("LEAKY_RELU", attributes)
    (a,) = node.arrays(inputs, 1)
    (multiplier,) = node.multipliers("negative_multipliers", 1)
    (shift,) = node.integers("negative_shifts", 1)
    return rectify(a, node, (multiplier, shift))


KERNEL = Kernel(compute)
