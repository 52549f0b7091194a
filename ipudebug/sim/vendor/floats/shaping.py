"""Operators that only move elements: reshape, transpose, slice, pad, tile."""

from __future__ import annotations

from ipudebug.errors import ModelError
from ipudebug.sim.vendor.builder import TO_NCHW, GraphBuilder, order_axis
from ipudebug.sim.vendor.floats.strides import read_strided_slice
from ipudebug.sim.vendor.tables import VendorOperator, VendorTensor
from ipudebug.tensor import dims

_RESHAPES = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "Reshape_Alias")
_PADS = ("PAD", "PADV2", "MIRROR_PAD")


def reorder(values: list[int]) -> list[int]:
    """Return one value per axis in the graph's order of axes."""
    return [values[axis] for axis in TO_NCHW] if len(values) == 4 else values


def bind_reshaped(builder: GraphBuilder, name: str, rank: int, output: VendorTensor) -> None:
    """Make ``output`` from a value of the graph with ``rank`` dimensions that has its elements in another shape."""
    if rank == 4:
        name = builder.apply("Transpose", [name], output.name, perm=(0, 2, 3, 1))
    shape = builder.integers(output.shape, f"{output.name}/shape")
    builder.bind_stored(output, builder.apply("Reshape", [name, shape], output.name))


def translate_reshape(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append a reshape of the elements in the file's order to the shape that the file states."""
    x = builder.take(operator, 1, 2)[0]
    y = builder.output(operator)
    if x.size != y.size:
        raise ModelError(
            f"{builder.model.path}: {operator.describe()}: {dims(x.shape)} has not as many elements as {dims(y.shape)}",
            "the file is damaged: copy it again in binary mode, or convert the model again",
        )
    builder.bind_stored(y, builder.stored(x, y.shape))


def translate_transpose(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append a transpose; the permutation refers to the file's order of axes."""
    x, permutation = builder.take(operator, 2)
    y = builder.output(operator)
    axes = builder.read_integers(permutation)
    if sorted(axes) != list(range(len(x.shape))):
        raise builder.refuse(operator, f"has the permutation {axes} of {len(x.shape)} axes")
    builder.expect(operator, y, [x.shape[axis] for axis in axes])
    rank = len(x.shape)
    graph_axes = [order_axis(axis, rank) for axis in reorder(axes)]
    builder.add("Transpose", [builder.value(x)], [builder.bind(y)], perm=graph_axes)


def translate_slice(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append SLICE: x, first element per axis, size per axis (-1: the rest)."""
    x, begin, size = builder.take(operator, 3)
    y = builder.output(operator)
    starts, sizes = builder.read_integers(begin), builder.read_integers(size)
    if len(starts) != len(x.shape) or len(sizes) != len(x.shape) or min(starts, default=0) < 0:
        raise builder.refuse(operator, f"cuts {sizes} from {starts} on")
    ends = [dim if n < 0 else start + n for dim, start, n in zip(x.shape, starts, sizes, strict=True)]
    builder.expect(operator, y, [end - start for start, end in zip(starts, ends, strict=True)])
    builder.add("Slice", _slice_inputs(builder, x, starts, ends, [1] * len(starts)), [builder.bind(y)])


def _slice_inputs(
    builder: GraphBuilder, x: VendorTensor, starts: list[int], ends: list[int], steps: list[int]
) -> list[str]:
    """Return the inputs of ONNX's Slice over all axes."""
    axes = list(range(len(starts)))
    lists = [builder.integers(values, f"{x.name}/slice") for values in (reorder(starts), reorder(ends), axes)]
    return [builder.value(x), *lists, builder.integers(reorder(steps), f"{x.name}/slice")]


def translate_strided_slice(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append STRIDED_SLICE: x, begin, end, strides; axes that its mask names vanish."""
    tensors = builder.take(operator, 4)
    x, y = tensors[0], builder.output(operator)
    cut = read_strided_slice(operator, x.shape, [builder.read_integers(tensor) for tensor in tensors[1:]])
    if cut is None:
        raise builder.refuse(operator, f"cuts entries that its input of shape {list(x.shape)} does not have")
    builder.expect(operator, y, cut.shape)
    ends = [end if end >= 0 else -dim - 1 for end, dim in zip(cut.ends, x.shape, strict=True)]
    sliced = builder.apply("Slice", _slice_inputs(builder, x, cut.starts, ends, cut.steps), y.name)
    bind_reshaped(builder, sliced, len(x.shape), y)


def translate_pad(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append PAD (zeros), PADV2 (a value) or MIRROR_PAD (reflection)."""
    tensors = builder.take(operator, 2, 3)
    x, y = tensors[0], builder.output(operator)
    pads = builder.read_integers(tensors[1])
    rank = len(x.shape)
    if len(pads) != 2 * rank or min(pads, default=0) < 0:
        raise builder.refuse(operator, f"pads {rank} axes by {pads}")
    before, after = pads[0::2], pads[1::2]
    builder.expect(operator, y, [dim + a + b for dim, a, b in zip(x.shape, before, after, strict=True)])
    if operator.type == "MIRROR_PAD":
        _mirror(builder, operator, before, after)
        return
    inputs = [builder.value(x), builder.integers([*reorder(before), *reorder(after)], f"{x.name}/pads")]
    if len(tensors) == 3:
        value = builder.read(tensors[2]).reshape(-1)[:1].reshape(())
        inputs.append(builder.constant(value.astype(x.dtype), tensors[2].name))
    builder.add("Pad", inputs, [builder.bind(y)], mode="constant")


def _mirror(builder: GraphBuilder, operator: VendorOperator, before: list[int], after: list[int]) -> None:
    """Append a padding by reflection; with a 1 in slot 0 the edge itself is repeated."""
    x, y = builder.take(operator, 2)[0], builder.output(operator)
    edge = operator.options.integer(0, "b")
    if any(max(pads) > dim - 1 + edge for *pads, dim in zip(before, after, x.shape, strict=True)):
        raise builder.refuse(operator, f"mirrors more than the shape {list(x.shape)} has: {before} and {after}")
    if not edge:
        frame = builder.integers([*reorder(before), *reorder(after)], f"{x.name}/pads")
        builder.add("Pad", [builder.value(x), frame], [builder.bind(y)], mode="reflect")
        return
    name = builder.stored(x)
    for axis, (front, back, dim) in enumerate(zip(before, after, x.shape, strict=True)):
        if front or back:
            places = [*range(front - 1, -1, -1), *range(dim), *range(dim - 1, dim - 1 - back, -1)]
            name = builder.apply("Gather", [name, builder.integers(places, f"{x.name}/places")], y.name, axis=axis)
    builder.bind_stored(y, name)


def translate_tile(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append TILE: x, repetitions per axis."""
    x, repeats = builder.take(operator, 2)
    y = builder.output(operator)
    counts = builder.read_integers(repeats)
    if len(counts) != len(x.shape) or min(counts, default=1) < 1:
        raise builder.refuse(operator, f"repeats {len(x.shape)} axes {counts} times")
    builder.expect(operator, y, [dim * count for dim, count in zip(x.shape, counts, strict=True)])
    builder.add("Tile", [builder.value(x), builder.integers(reorder(counts), f"{x.name}/repeats")], [builder.bind(y)])


OPERATORS = {
    **dict.fromkeys(_RESHAPES, translate_reshape),
    **dict.fromkeys(_PADS, translate_pad),
    "TRANSPOSE": translate_transpose,
    "SLICE": translate_slice,
    "STRIDED_SLICE": translate_strided_slice,
    "TILE": translate_tile,
}
