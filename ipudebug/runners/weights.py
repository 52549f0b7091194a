"""The data of a weight, wherever and however an ONNX file holds it -> an array."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

import numpy as np

from ipudebug.errors import ModelError
from ipudebug.files import OpenFile
from ipudebug.runners.elements import ELEMENT_TYPES
from ipudebug.runners.model_file import MemoryFile
from ipudebug.runners.protobuf import BYTES, read_fields, read_integers

if TYPE_CHECKING:
    from ipudebug.runners.graph import Weight

_RAW, _FLOATS, _DOUBLES = 9, 4, 10
_INTEGERS = {5: "biu", 7: "i"}
"""Fields of a TensorProto with integers: int32_data and int64_data, and the kinds of elements that they may hold."""


def find_dtype(element: int) -> np.dtype | None:
    """Return the numpy type that values of an element type are delivered in; None where there is none."""
    known = ELEMENT_TYPES.get(element)
    return known.dtype if known is not None else None


def read_weight(file: OpenFile | MemoryFile, weight: Weight) -> np.ndarray:
    """Return the elements of a weight of the model in ``file``; mapped where possible, so not to be written to.

    Raises ModelError where there are not as many as the shape says.
    """
    known = ELEMENT_TYPES.get(weight.element)
    dtype = known.dtype if known is not None and known.carrier == known.number else None
    if weight.place is not None and dtype is not None:
        return _view(file, weight, weight.place, dtype)
    if weight.external and dtype is not None:
        location, offset, _ = weight.external
        outside = OpenFile(os.path.join(os.path.dirname(file.path), location), "the weights", ModelError)
        return _view(outside, weight, offset, dtype)
    array = _decode(weight, dtype) if dtype is not None and not dtype.hasobject else None
    if array is None:
        array = _read_rare(weight)
    if array.size != math.prod(weight.shape):
        raise _misfit(file, weight, f"{array.size} elements")
    return array.reshape(weight.shape)


def _view(file: OpenFile | MemoryFile, weight: Weight, offset: int, dtype: np.dtype) -> np.ndarray:
    """Return elements that lie dense in a file."""
    stop = offset + math.prod(weight.shape) * dtype.itemsize
    if stop > file.size:
        raise _misfit(file, weight, f"the end of {file.path}")
    data = file.data if isinstance(file, MemoryFile) else file.map(stop)
    view: np.ndarray = np.ndarray(weight.shape, dtype.newbyteorder("<"), data, offset)
    return view


def _decode(weight: Weight, dtype: np.dtype) -> np.ndarray | None:
    """Return the elements of a small weight, flat; None where they are stored in a rarer way."""
    little = dtype.newbyteorder("<")
    packed = {_RAW: little} | ({_FLOATS: little} if dtype == np.float32 else {})
    packed |= {_DOUBLES: little} if dtype == np.float64 else {}
    numbers: list[int] = []
    for field in read_fields(weight.proto, 0, len(weight.proto)):
        if field.number in packed and field.wire == BYTES:
            data = weight.proto[field.begin : field.end]
            return np.frombuffer(data, little) if len(data) % dtype.itemsize == 0 else None
        if dtype.kind in _INTEGERS.get(field.number, ""):
            numbers += read_integers(weight.proto, field)
    return np.array(numbers, np.int64).astype(dtype) if numbers or not math.prod(weight.shape) else None


def _read_rare(weight: Weight) -> np.ndarray:
    """Return the elements as the onnx package reads them, in the type that they are delivered in."""
    from onnx import TensorProto, numpy_helper

    try:
        array = np.asarray(numpy_helper.to_array(TensorProto.FromString(weight.proto)))
    except (KeyError, TypeError, ValueError) as reason:
        raise ModelError(f"the weight {weight.name!r} cannot be read: {reason}", "export the model again") from None
    dtype = find_dtype(weight.element)
    return array.reshape(-1).astype(dtype or array.dtype, copy=False)


def _misfit(file: OpenFile | MemoryFile, weight: Weight, found: str) -> ModelError:
    """Return the error for a weight that has not the elements that its shape says."""
    shape = "x".join(map(str, weight.shape)) or "a scalar"
    message = (
        f"{file.path}: weight {weight.name!r}: expected {math.prod(weight.shape)} elements ({shape}), found {found}"
    )
    return ModelError(message, "copy or export the model again")
