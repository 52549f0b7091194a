"""What the elementwise kernels share: an operand without its zero point, rescaled, and the way through the slabs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ipudebug.sim.kernels.formula import Formula, Operand
from ipudebug.sim.kernels.node import Node
from ipudebug.sim.kernels.rescaling import Integers, Product, Target, express_rescaling
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
    broadcast(node, arrays)
    target = read_target(node)
    low, high = target.bounds
    return [map_slabs(lambda *pieces: function(*pieces) + target.zero, arrays, low, high, target.dtype)]


def broadcast(node: Node, arrays: Sequence[np.ndarray]) -> tuple[int, ...]:
    """Return the shape that the arrays have together; raises ModelError if they have none."""
    try:
        return np.broadcast_shapes(*(array.shape for array in arrays))
    except ValueError:
        shapes = " and ".join(str(list(array.shape)) for array in arrays)
        raise node.fail(f"shapes {shapes} do not fit each other") from None


def read_target(node: Node) -> Target:
    """Return what ``y_zero``, ``dtype``, ``low`` and ``high`` say; raises ModelError."""
    dtype = node.dtype
    return Target(node.zero_of(np.empty(0, dtype), "y_zero"), node.clip_range, dtype)


def express_elementwise(
    node: Node,
    operands: Sequence[Operand],
    zeros: Sequence[int],
    multipliers: Sequence[Integers],
    shift: int,
    formula: Formula,
    constant: Integers = 0,
) -> bool:
    """Fill a formula with clip(hu(sum of (operand - zero) multiplier + constant, shift) + y_zero).

    Returns False where that would not be exact; raises ModelError as ``compute_elementwise`` does.
    """
    shape = broadcast(node, [operand.array for operand in operands])
    products, offset = [], np.asarray(constant, np.int64)
    for operand, zero, multiplier in zip(operands, zeros, multipliers, strict=True):
        info = np.iinfo(operand.array.dtype)
        products.append(Product(operand.name, int(info.min), int(info.max), multiplier))
        offset = offset - zero * np.asarray(multiplier, np.int64)
    target = read_target(node)
    result = express_rescaling(products, offset, shift, target, formula)
    if result is not None:
        formula.give(result, shape, target.dtype)
    return result is not None


def subtract_zero(values: np.ndarray, zero: int, width: type[np.signedinteger]) -> np.ndarray:
    """Return values - zero in ``width``."""
    wide = values.astype(width)
    if zero:
        wide -= width(zero)
    return wide
