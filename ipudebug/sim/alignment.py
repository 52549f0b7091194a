"""How the board lays an output out: the innermost dimension is filled up to 16 bytes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

BYTES = 16


def align_shape(shape: Sequence[int], dtype: np.dtype) -> tuple[int, ...]:
    """Return the shape of the board's buffer for elements of ``dtype``; a scalar has no dimension to fill up."""
    if not shape:
        return ()
    step = max(1, BYTES // dtype.itemsize)
    return (*shape[:-1], -(-shape[-1] // step) * step)
