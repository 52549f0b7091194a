"""Operators that join tensors or take one apart: concat, split, pack, unpack."""

from __future__ import annotations

import math

from ipudebug.errors import ModelError
from ipudebug.sim.vendor.builder import GraphBuilder, order_axis
from ipudebug.sim.vendor.options import read_fused_activation
from ipudebug.sim.vendor.tables import VendorOperator, VendorTensor
from ipudebug.tensor import dims


def find_axis(builder: GraphBuilder, operator: VendorOperator, axis: int, rank: int) -> int:
    """Return an axis as a number from 0 on; raises UnsupportedOp for one that the tensor does not have."""
    axis += rank if axis < 0 else 0
    if not 0 <= axis < rank:
        raise builder.refuse(operator, f"names axis {axis} of {rank}")
    return axis


def fit_part(shape: tuple[int, ...], whole: tuple[int, ...], axis: int) -> tuple[int, ...] | None:
    """Return the shape with which a part joins ``whole`` along ``axis``; None if it cannot.

    Calibration removes a RESHAPE before a CONCATENATION; the part then still has the shape from before, and is taken
    by its number of elements.
    """
    rest = math.prod(dim for i, dim in enumerate(whole) if i != axis)
    count, left = divmod(math.prod(shape), rest)
    return None if left else (*whole[:axis], count, *whole[axis + 1 :])


def fit_parts(builder: GraphBuilder, operator: VendorOperator, axis: int) -> list[tuple[int, ...]]:
    """Return the shape of each input of a concatenation as it is joined; raises ModelError if they do not fill it."""
    parts, y = builder.model.inputs_of(operator), builder.output(operator)
    shapes = [fit_part(part.shape, y.shape, axis) for part in parts]
    fitting = [shape for shape in shapes if shape is not None]
    if len(fitting) != len(parts) or sum(shape[axis] for shape in fitting) != y.shape[axis]:
        found = ", ".join(dims(part.shape) for part in parts)
        raise ModelError(
            f"{builder.model.path}: {operator.describe()}: {found} do not join into {dims(y.shape)} along axis {axis}",
            "the file is damaged: copy it again in binary mode, or convert the model again",
        )
    return fitting


def translate_concatenation(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append a concatenation; the axis is slot 0."""
    parts = builder.take(operator, 1, 1 << 16)
    y = builder.output(operator)
    options = operator.optional_options
    axis = find_axis(builder, operator, options.integer(0) if options is not None else 0, len(y.shape))
    if read_fused_activation(operator, 1, builder.model.path):
        raise builder.refuse(operator, "has an activation of its own")
    shapes = fit_parts(builder, operator, axis)
    if all(part.shape == shape for part, shape in zip(parts, shapes, strict=True)):
        names = [builder.value(part) for part in parts]
        builder.add("Concat", names, [builder.bind(y)], axis=order_axis(axis, len(y.shape)))
    else:
        names = [builder.stored(part, shape) for part, shape in zip(parts, shapes, strict=True)]
        builder.bind_stored(y, builder.apply("Concat", names, y.name, axis=axis))


def translate_split(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append SPLIT (axis, x) or SPLIT_V (x, sizes, axis); the sizes are those of the outputs."""
    tensors = builder.take(operator, 2, 3)
    where, x = (tensors[2], tensors[0]) if len(tensors) == 3 else (tensors[0], tensors[1])
    axes = builder.read_integers(where)
    if len(axes) != 1:
        raise builder.refuse(operator, f"splits along the axes {axes}")
    axis = find_axis(builder, operator, axes[0], len(x.shape))
    outputs = builder.model.outputs_of(operator)
    for output in outputs:
        size = output.shape[axis] if axis < len(output.shape) else 0
        builder.expect(operator, output, (*x.shape[:axis], size, *x.shape[axis + 1 :]))
    sizes = [output.shape[axis] for output in outputs]
    if sum(sizes) != x.shape[axis]:
        raise builder.refuse(operator, f"splits {x.shape[axis]} into {sizes}")
    inputs = [builder.value(x), builder.integers(sizes, f"{x.name}/sizes")]
    names = [builder.bind(output) for output in outputs]
    builder.add("Split", inputs, names, axis=order_axis(axis, len(x.shape)))


def translate_pack(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append PACK: tensors of one shape, stacked along a new axis (slot 1)."""
    parts = builder.take(operator, 1, 1 << 16)
    y = builder.output(operator)
    shape = parts[0].shape
    axis = find_axis(builder, operator, operator.options.integer(1), len(shape) + 1)
    builder.expect(operator, y, (*shape[:axis], len(parts), *shape[axis:]))
    if any(part.shape != shape for part in parts):
        raise builder.refuse(operator, "stacks tensors of different shapes")
    names = [builder.stored(part, (*shape[:axis], 1, *shape[axis:])) for part in parts]
    builder.bind_stored(y, builder.apply("Concat", names, y.name, axis=axis))


def translate_unpack(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append UNPACK: one output for each element along an axis (slot 1)."""
    (x,) = builder.take(operator, 1)
    outputs: list[VendorTensor] = builder.model.outputs_of(operator)
    axis = find_axis(builder, operator, operator.options.integer(1), len(x.shape))
    if len(outputs) != x.shape[axis]:
        raise builder.refuse(operator, f"makes {len(outputs)} tensors of {x.shape[axis]} elements")
    for index, output in enumerate(outputs):
        builder.expect(operator, output, (*x.shape[:axis], *x.shape[axis + 1 :]))
        place = builder.integers([index], f"{x.name}/place")
        one = builder.apply("Gather", [builder.stored(x), place], output.name, axis=axis)
        shape = builder.integers(output.shape, f"{output.name}/shape")
        builder.bind_stored(output, builder.apply("Reshape", [one, shape], output.name))


OPERATORS = {
    "CONCATENATION": translate_concatenation,
    "Concatenation_Alias": translate_concatenation,
    "SPLIT": translate_split,
    "SPLIT_V": translate_split,
    "PACK": translate_pack,
    "UNPACK": translate_unpack,
}
