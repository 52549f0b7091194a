"""What the elementwise kernels share: an operand without its zero point, rescaled, and the way through the slabs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ipudebug.sim.kernels.node import Node
from ipudebug.sim.kernels.slabs import map_slabs


def compute_elementwise(
    node: Node, arrays: Sequence[np.ndarray], function: Callable[..., np.ndarray]
) -> list[np.ndarray]:
    """Return the clipped sum of ``function`` of the arrays and the output's zero point, in the output's dtype.

    Args:
        node: gives ``y_zero``, ``dtype``, ``low`` and ``high``.
        arrays: broadcast against each other.
        function: gets one piece of every array, returns integers of the piece's shape.

    Raises ModelError if the shapes do not broadcast.
    """
    try:
        np.broadcast_shapes(*(array.shape for array in arrays))
    except ValueError:
        shapes = " and ".join(str(list(array.shape)) for array in arrays)
        raise node.fail(f"shapes {shapes} do not fit each other") from None
    dtype = node.dtype
    low, high = node.clip_range
    y_zero = node.zero_of(np.empty(0, dtype), "y_zero")
    return [map_slabs(lambda *pieces: function(*pieces) + y_zero, arrays, low, high, dtype)]


def subtract_zero(values: np.ndarray, zero: int, width: type[np.signedinteger]) -> np.ndarray:
    """Return values - zero in ``width``."""
    wide = values.astype(width)
    if zero:
        wide -= width(zero)
    return wide
