"""Rows for tests of the page, made in memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.comparison import LayerResult
from ipudebug.tensor import Layout, Tensor, TensorInfo


def make_row(
    sample,
    benchmark,
    shape: Sequence[int] | None = None,
    *,
    index: int = 0,
    name: str = "x",
    layout: Layout | None = None,
    **values: float,
) -> LayerResult:
    """Return a row of two arrays with the values given."""
    sides = []
    for array in (sample, benchmark):
        array = np.asarray(array, np.float32)
        array = array.reshape(shape) if shape is not None else array
        sides.append(Tensor(TensorInfo(name, array.shape, array.dtype, op_type="CONV_2D", layout=layout), array))
    equal = bool(np.array_equal(sides[0].array, sides[1].array))
    return LayerResult(index, name, *sides, {"mse": 0.0, "cos": 1.0, "rmse": 0.0} | values, equal=equal)
