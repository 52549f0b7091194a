"""DILATION: a copy with the zero point between neighbours and around; exact. What the vendor makes of ConvTranspose."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.sim.kernels import Attributes, Kernel
from ipudebug.sim.kernels.node import Node


def compute(inputs: Sequence[np.ndarray], attributes: Attributes) -> list[np.ndarray]:
    """Return the input spread out; raises ModelError.

    ``inner[i]`` elements of ``value`` come between neighbours along axis i, then ``pads`` (all begins, then all ends)
    around the whole.
    """
    node = Node("DILATION", attributes)
    (x,) = node.arrays(inputs, 1)
    return [spread(x, node.integers("inner", x.ndim), node)]


def spread(x: np.ndarray, inner: Sequence[int], node: Node) -> np.ndarray:
    """Return ``x`` with ``inner`` elements between neighbours and the node's ``pads`` around, all of ``value``."""
    node.activations([x])
    pads = node.integers("pads", 2 * x.ndim)
    if min([*pads, *inner], default=0) < 0:
        raise node.fail(f"expected no negative sizes, found pads {pads} and inner {list(inner)}")
    begins, ends = pads[: x.ndim], pads[x.ndim :]
    lengths = [(size - 1) * (gap + 1) + 1 for size, gap in zip(x.shape, inner, strict=True)]
    shape = [begin + length + end for begin, length, end in zip(begins, lengths, ends, strict=True)]
    result = np.full(shape, node.zero_of(x, "value"), x.dtype)
    index = (slice(b, b + length, gap + 1) for b, length, gap in zip(begins, lengths, inner, strict=True))
    result[tuple(index)] = x
    return result


KERNEL = Kernel(compute)
