"""Operators that copy integers: the operands share scale and zero point (SPEC 11.5)."""

from __future__ import annotations

from ipudebug.sim.vendor.builder import order_axis
from ipudebug.sim.vendor.fixed_builder import FixedBuilder
from ipudebug.sim.vendor.floats.joining import find_axis, fit_parts
from ipudebug.sim.vendor.floats.shaping import reorder, translate_reshape, translate_transpose
from ipudebug.sim.vendor.options import read_fused_activation
from ipudebug.sim.vendor.tables import VendorOperator


def lower_reshape(builder: FixedBuilder, operator: VendorOperator) -> bool:
    """Append a reshape, which ONNX does on any type."""
    if not builder.is_tied(builder.take(operator, 1, 2)[0], builder.output(operator)):
        return False
    translate_reshape(builder, operator)
    return True


def lower_transpose(builder: FixedBuilder, operator: VendorOperator) -> bool:
    """Append a transpose, which ONNX does on any type; not seen on the chip."""
    if not builder.is_tied(builder.take(operator, 2)[0], builder.output(operator)):
        return False
    translate_transpose(builder, operator)
    builder.mark_inexact(operator)
    return True


def lower_concatenation(builder: FixedBuilder, operator: VendorOperator) -> bool:
    """Append a concatenation; a part that has lost its RESHAPE is taken by its number of elements."""
    parts = builder.take(operator, 1, 1 << 16)
    y = builder.output(operator)
    if read_fused_activation(operator, 1, builder.model.path):
        return False
    if any(part.data is not None for part in parts) or not builder.is_tied(*parts, y):
        return False
    options = operator.optional_options
    axis = find_axis(builder, operator, options.integer(0) if options is not None else 0, len(y.shape))
    shapes = fit_parts(builder, operator, axis)
    if all(part.shape == shape for part, shape in zip(parts, shapes, strict=True)):
        names = [builder.value(part) for part in parts]
        target = builder.bind(y)
        graph_axis = order_axis(axis, len(y.shape))
        builder.compute(operator, "CONCATENATION", names, [target], axis=graph_axis, dtype=y.dtype.name)
    else:
        names = [builder.stored(part, shape) for part, shape in zip(parts, shapes, strict=True)]
        joined = builder.invent(f"{y.name}/joined")
        builder.compute(operator, "CONCATENATION", names, [joined], axis=axis, dtype=y.dtype.name)
        builder.bind_stored(y, joined)
    return True


def lower_split(builder: FixedBuilder, operator: VendorOperator) -> bool:
    """Append SPLIT (axis, x) or SPLIT_V (x, sizes, axis)."""
    tensors = builder.take(operator, 2, 3)
    where, x = (tensors[2], tensors[0]) if len(tensors) == 3 else (tensors[0], tensors[1])
    outputs = builder.model.outputs_of(operator)
    axes = builder.read_integers(where)
    if len(axes) != 1 or not builder.is_tied(x, *outputs):
        return False
    axis = find_axis(builder, operator, axes[0], len(x.shape))
    for output in outputs:
        size = output.shape[axis] if axis < len(output.shape) else 0
        builder.expect(operator, output, (*x.shape[:axis], size, *x.shape[axis + 1 :]))
    sizes = [output.shape[axis] for output in outputs]
    if sum(sizes) != x.shape[axis]:
        raise builder.refuse(operator, f"splits {x.shape[axis]} into {sizes}")
    builder.compute(
        operator,
        "SPLIT_V",
        [builder.value(x)],
        [builder.bind(output) for output in outputs],
        axis=order_axis(axis, len(x.shape)),
        split=sizes,
        dtype=x.dtype.name,
    )
    return True


def lower_tile(builder: FixedBuilder, operator: VendorOperator) -> bool:
    """Append TILE."""
    x, repeats = builder.take(operator, 2)
    y = builder.output(operator)
    counts = builder.read_integers(repeats)
    if len(counts) != len(x.shape) or min(counts, default=1) < 1 or not builder.is_tied(x, y):
        return False
    builder.expect(operator, y, [dim * count for dim, count in zip(x.shape, counts, strict=True)])
    builder.compute(
        operator, "TILE", [builder.value(x)], [builder.bind(y)], repeats=reorder(counts), dtype=y.dtype.name
    )
    return True


def lower_pad(builder: FixedBuilder, operator: VendorOperator) -> bool:
    """Append PAD: the frame has the zero point's value."""
    x, around = builder.take(operator, 2)
    y = builder.output(operator)
    pads = builder.read_integers(around)
    if len(pads) != 2 * len(x.shape) or min(pads, default=0) < 0 or not builder.is_tied(x, y):
        return False
    before, after = pads[0::2], pads[1::2]
    builder.expect(operator, y, [dim + a + b for dim, a, b in zip(x.shape, before, after, strict=True)])
    frame = [*reorder(before), *reorder(after)]
    value = builder.zero(x)
    builder.compute(operator, "PAD", [builder.value(x)], [builder.bind(y)], pads=frame, value=value, dtype=y.dtype.name)
    return True


def lower_slice(builder: FixedBuilder, operator: VendorOperator) -> bool:
    """Append SLICE: x, first element per axis, size per axis (-1: the rest)."""
    x, begin, size = builder.take(operator, 3)
    y = builder.output(operator)
    starts, sizes = builder.read_integers(begin), builder.read_integers(size)
    if len(starts) != len(x.shape) or len(sizes) != len(x.shape) or min(starts, default=0) < 0:
        return False
    if not builder.is_tied(x, y):
        return False
    ends = [dim if n < 0 else start + n for dim, start, n in zip(x.shape, starts, sizes, strict=True)]
    builder.expect(operator, y, [end - start for start, end in zip(starts, ends, strict=True)])
    cut = {"starts": reorder(starts), "ends": reorder(ends)}
    builder.compute(operator, "SLICE", [builder.value(x)], [builder.bind(y)], dtype=y.dtype.name, **cut)
    return True


OPERATORS = {
    **dict.fromkeys(("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "Reshape_Alias"), lower_reshape),
    **dict.fromkeys(("CONCATENATION", "Concatenation_Alias"), lower_concatenation),
    **dict.fromkeys(("SPLIT", "SPLIT_V"), lower_split),
    "TRANSPOSE": lower_transpose,
    "TILE": lower_tile,
    "PAD": lower_pad,
    "SLICE": lower_slice,
}
