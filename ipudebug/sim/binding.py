"""The shapes of a model's inputs, fixed: by ``--input_shapes``, or 1 for a batch that the model leaves open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipudebug.catalogue import load_entries
from ipudebug.errors import InputError, ModelError

if TYPE_CHECKING:
    from onnx import ValueInfoProto

DYNAMIC, NO_SHAPE = "051", "077"
OPTION = "--input_shapes"
LARGEST_DIM = 1 << 31


def parse_shapes(text: str) -> list[tuple[int, ...]]:
    """Return the shapes in ``1,3,224,224:1,10``; raises InputError."""
    shapes = []
    for part in text.split(":"):
        sizes = [size.strip() for size in part.split(",")] if part.strip() or ":" not in text else []
        if not all(size.isascii() and size.isdigit() and 0 < int(size[:20]) < LARGEST_DIM for size in sizes):
            message = f"{OPTION}: expected whole numbers above 0, found {part or 'nothing'}"
            raise InputError(message, "write it like 1,3,224,224 and put ':' between inputs")
        shapes.append(tuple(map(int, sizes)))
    return shapes


def bind_shapes(inputs: Sequence[ValueInfoProto], shapes: Sequence[tuple[int, ...]] | None) -> list[str]:
    """Fix every dimension of every input, in place, and return notes on what was assumed.

    ``shapes`` has one shape per input, in order; without it a batch that is left open becomes 1. Raises InputError for
    shapes that do not fit, ModelError with the vendor's message for what stays open.
    """
    for info in inputs:
        if not info.type.HasField("tensor_type"):
            raise ModelError(f"input {info.name} is no tensor", "export the model with tensors as inputs")
    if shapes is None:
        return _bind_batch(inputs)
    if len(shapes) != len(inputs):
        names = ", ".join(info.name for info in inputs)
        message = f"{OPTION}: expected {len(inputs)} shapes ({names}), found {len(shapes)}"
        raise InputError(message, "one shape per input in the model's order, ':' between them")
    chosen: dict[str, tuple[int, str]] = {}
    for info, shape in zip(inputs, shapes, strict=True):
        _check_shape(info, shape)
        if info.type.tensor_type.HasField("shape"):
            for dim, size in zip(info.type.tensor_type.shape.dim, shape, strict=True):
                before, owner = chosen.setdefault(dim.dim_param, (size, info.name)) if dim.dim_param else (size, "")
                if before != size:
                    found = f"{before} for input {owner} and {size} for input {info.name}"
                    message = f"{OPTION}: expected one size for {dim.dim_param}, found {found}"
                    raise InputError(message, "dimensions of the same name in the model are equal")
        set_shape(info, shape)
    return []


def set_shape(info: ValueInfoProto, shape: Sequence[int]) -> None:
    """State a fixed shape."""
    stated = info.type.tensor_type.shape
    stated.ClearField("dim")
    stated.SetInParent()  # a scalar has a shape without dimensions
    for size in shape:
        stated.dim.add(dim_value=size)


def read_dims(info: ValueInfoProto) -> list[int | None] | None:
    """Return an input's dimensions, None for one that is open; None where not even the rank is stated."""
    if not info.type.tensor_type.HasField("shape"):
        return None
    dims = info.type.tensor_type.shape.dim
    return [dim.dim_value if dim.HasField("dim_value") and dim.dim_value >= 0 else None for dim in dims]


def _check_shape(info: ValueInfoProto, shape: tuple[int, ...]) -> None:
    """Raise InputError unless ``shape`` agrees with what the model states."""
    dims = read_dims(info)
    if dims is None:
        return
    if len(dims) != len(shape) or any(dim not in (None, size) for dim, size in zip(dims, shape, strict=True)):
        found = "x".join(map(str, shape)) or "a scalar"
        message = f"{OPTION}: input {info.name} is {_show(info)} in the model, found {found}"
        raise InputError(message, "only dimensions that the model leaves open can be chosen")


def _bind_batch(inputs: Sequence[ValueInfoProto]) -> list[str]:
    """Set the first dimension of each input to 1 where it is open; raises ModelError where any other is.

    A name that stands for other dimensions too is no batch.
    """
    later = Counter(
        dim.dim_param for info in inputs for dim in info.type.tensor_type.shape.dim[1:] if not dim.HasField("dim_value")
    )
    notes = []
    for info in inputs:
        dims = read_dims(info)
        if dims is None:
            message = load_entries()[NO_SHAPE].fill(["0", info.name])
            raise ModelError(f"{message} expected a shape, the model states none", f"give it with {OPTION}")
        shown = _show(info)
        if dims and dims[0] is None and not (later[name] if (name := _read_name(info)) else 0):
            dims[0] = 1
            if None not in dims:
                notes.append(f"input {info.name} is {shown}: its batch is taken to be 1; {OPTION} sets another")
        fixed = [dim for dim in dims if dim is not None]
        if len(fixed) < len(dims):
            message = f"{load_entries()[DYNAMIC].message} input {info.name}: expected fixed dimensions, found {shown}"
            raise ModelError(message, f"fix them with {OPTION}, such as {','.join(str(dim or 'N') for dim in dims)}")
        set_shape(info, fixed)
    return notes


def _read_name(info: ValueInfoProto) -> str:
    """Return the name of the first dimension; an empty text where it has none."""
    name: str = info.type.tensor_type.shape.dim[0].dim_param
    return name


def _show(info: ValueInfoProto) -> str:
    """Return an input's shape as the model states it: ``batchx3x224x224``."""
    dims = read_dims(info) or []
    named = [dim.dim_param for dim in info.type.tensor_type.shape.dim]
    return "x".join(str(size) if size is not None else name or "?" for size, name in zip(dims, named, strict=True))
