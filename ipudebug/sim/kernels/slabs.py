"""Pieces of an array that stay in the processor's cache while several numpy passes go over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np

SLAB = 1 << 15
"""Elements in a piece: three int32 temporaries of it fit a cache of 512 KB."""

Index = tuple[slice, ...]


def split_slabs(shape: Sequence[int], size: int = SLAB) -> Iterator[Index]:
    """Yield indices that cover ``shape`` once, each for at most ``size`` elements in memory order.

    A piece keeps the rank; its last dimensions are whole, so that numpy sees long rows.
    """
    axis = len(shape)
    inner = 1
    while axis > 0 and inner * shape[axis - 1] <= size:
        axis -= 1
        inner *= shape[axis]
    if axis == 0:
        yield (slice(None),) * len(shape)
        return
    step = max(1, size // inner)
    length = shape[axis - 1]
    whole = (slice(None),) * (len(shape) - axis)
    for outer in product(*(range(dim) for dim in shape[: axis - 1])):
        head = tuple(slice(index, index + 1) for index in outer)
        for start in range(0, length, step):
            yield (*head, slice(start, min(start + step, length)), *whole)


def map_slabs(
    function: Callable[..., np.ndarray], arrays: Sequence[np.ndarray], low: int, high: int, dtype: np.dtype
) -> np.ndarray:
    """Return ``function`` of the arrays, broadcast against each other, clipped to low..high in ``dtype``.

    ``function`` gets the same piece of every array and returns integers of the piece's shape.
    """
    shape = np.broadcast_shapes(*(array.shape for array in arrays))
    views = [np.broadcast_to(array, shape) for array in arrays]
    result = np.empty(shape, dtype)
    for part in split_slabs(shape):
        values = function(*(view[part] for view in views))
        result[part] = np.clip(values, low, high)
    return result
