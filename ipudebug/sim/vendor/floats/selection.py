"""Operators that pick elements: by their place, in reverse, by a condition."""

from __future__ import annotations

import numpy as np

from ipudebug.sim.vendor.builder import GraphBuilder
from ipudebug.sim.vendor.floats.elementwise import broadcast_all
from ipudebug.sim.vendor.floats.joining import find_axis
from ipudebug.sim.vendor.tables import VendorOperator, VendorTensor

_INT64 = 7  # ONNX's number


def translate_gather(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append GATHER: x, indices; the axis is slot 0."""
    x, indices = builder.take(operator, 2)
    y = builder.output(operator)
    options = operator.optional_options
    axis = options.integer(0) if options is not None else 0
    axis = find_axis(builder, operator, axis, len(x.shape))
    builder.expect(operator, y, (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))
    where = _read_places(builder, indices)
    builder.bind_stored(y, builder.apply("Gather", [builder.stored(x), where], y.name, axis=axis))


def translate_gather_nd(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append GATHER_ND: x, places of slices, whose last axis counts x's first axes."""
    x, indices = builder.take(operator, 2)
    y = builder.output(operator)
    depth = indices.shape[-1] if indices.shape else 0
    if not 1 <= depth <= len(x.shape):
        raise builder.refuse(operator, f"picks from {len(x.shape)} axes by places of {depth}")
    builder.expect(operator, y, (*indices.shape[:-1], *x.shape[depth:]))
    where = _read_places(builder, indices)
    builder.bind_stored(y, builder.apply("GatherND", [builder.stored(x), where], y.name))


def _read_places(builder: GraphBuilder, indices: VendorTensor) -> str:
    """Return the name of indices as int64, in the file's order of axes."""
    if indices.data is not None:
        return builder.constant(builder.read(indices).astype(np.int64), indices.name)
    return builder.apply("Cast", [builder.stored(indices)], indices.name, to=_INT64)


def translate_reverse(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append REVERSE_V2: x, axes along which the last element comes first."""
    x, which = builder.take(operator, 2)
    y = builder.output(operator)
    builder.expect(operator, y, x.shape)
    axes = sorted({find_axis(builder, operator, axis, len(x.shape)) for axis in builder.read_integers(which)})
    count = len(axes)
    bounds = ([-1] * count, [-1 - x.shape[axis] for axis in axes], axes, [-1] * count)
    lists = [builder.integers(values, f"{x.name}/reverse") for values in bounds]
    builder.bind_stored(y, builder.apply("Slice", [builder.stored(x), *lists], y.name))


def translate_select(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append SELECT or SELECT_V2: condition, what is taken where it holds, what elsewhere."""
    tensors = builder.take(operator, 3)
    if operator.type == "SELECT" and len({tensor.shape for tensor in tensors}) != 1:
        raise builder.refuse(operator, "chooses between tensors of different shapes")
    operands, y = broadcast_all(builder, operator, tensors)
    builder.add("Where", operands, [builder.bind(y)])


OPERATORS = {
    "GATHER": translate_gather,
    "GATHER_ND": translate_gather_nd,
    "REVERSE_V2": translate_reverse,
    "SELECT": translate_select,
    "SELECT_V2": translate_select,
}
