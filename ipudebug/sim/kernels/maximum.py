"""MAXIMUM of two tensors of one scale and zero point: the larger integer; exact."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.sim.kernels import Attributes, Kernel
from ipudebug.sim.kernels.node import Node


def compute(inputs: Sequence[np.ndarray], attributes: Attributes) -> list[np.ndarray]:
    """Return the larger of both, broadcast, in their dtype; raises ModelError if they have two."""
    node = Node("MAXIMUM", attributes)
    a, b = arrays = node.arrays(inputs, 2)
    node.activations(arrays)
    if a.dtype != b.dtype:
        raise node.fail(f"expected operands of one dtype, found {a.dtype} and {b.dtype}")
    try:
        return [np.asarray(np.maximum(a, b))]
    except ValueError:
        raise node.fail(f"shapes {list(a.shape)} and {list(b.shape)} do not fit each other") from None


KERNEL = Kernel(compute)
