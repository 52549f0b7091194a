"""ONNX element types: their numbers, their names in onnxruntime, and the numpy type that their values come in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ipudebug.runners.protobuf import encode_bytes, encode_number

FLOAT = 1
STRING = 8
HALF = (10, 16)
"""float16 and bfloat16: onnxruntime computes most operators on them in float32."""


class ElementType(NamedTuple):
    """An element type of ONNX.

    ``dtype`` is what its values are delivered in; ``carrier`` is the element type that has this dtype: the same one,
    or, where numpy has no such type, the one that values are cast to. ``dtype`` is None where there is none at all.
    """

    number: int
    name: str
    dtype: np.dtype | None
    carrier: int
    opset: int


def _table() -> dict[int, ElementType]:
    """Return every element type by number."""
    plain = {1: "float", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 9: "bool"}
    plain |= {10: "float16", 11: "double", 12: "uint32", 13: "uint64"}
    cast = {16: ("bfloat16", 1, 13), 21: ("uint4", 2, 21), 22: ("int4", 3, 21), 23: ("float4e2m1", 1, 23)}
    cast |= {17: ("float8e4m3fn", 1, 19), 18: ("float8e4m3fnuz", 1, 19), 19: ("float8e5m2", 1, 19)}
    cast |= {20: ("float8e5m2fnuz", 1, 19), 24: ("float8e8m0", 1, 24), 25: ("uint2", 2, 25), 26: ("int2", 3, 25)}
    numpy_names = {"float": "float32", "double": "float64"}
    table = {n: ElementType(n, name, np.dtype(numpy_names.get(name, name)), n, 13) for n, name in plain.items()}
    for number, (name, carrier, opset) in cast.items():
        table[number] = ElementType(number, name, table[carrier].dtype, carrier, opset)
    table[STRING] = ElementType(STRING, "string", np.dtype(object), STRING, 13)
    for number, name in {14: "complex64", 15: "complex128"}.items():
        table[number] = ElementType(number, name, None, number, 13)
    return table


ELEMENT_TYPES = _table()
NUMBERS = {element.name: element.number for element in ELEMENT_TYPES.values()}


def find_element(text: str) -> int:
    """Return the number of the elements of a tensor type as onnxruntime words it; 0 for any other type."""
    return NUMBERS.get(text[7:-1], 0) if text and text.startswith("tensor(") else 0


def encode_type(text: str, shape: tuple[int, ...] | None = None) -> bytes:
    """Return the TypeProto for a type as onnxruntime words it: ``tensor(float)``, ``seq(tensor(int64))``.

    ``shape`` is that of a tensor; None leaves it open. Raises KeyError for a type that ONNX does not have.
    """
    match = re.fullmatch(r"(\w+)\((.*)\)", text)
    if not match:
        raise KeyError(text)
    kind, inner = match.groups()
    if kind == "tensor":
        return encode_tensor_type(NUMBERS[inner], shape)
    if kind == "sparse_tensor":
        return encode_bytes(8, encode_number(1, NUMBERS[inner]))
    if kind == "map":
        key, value = inner.split(",", 1)
        return encode_bytes(5, encode_number(1, NUMBERS[key]) + encode_bytes(2, encode_type(value)))
    return encode_bytes({"seq": 4, "optional": 9}[kind], encode_bytes(1, encode_type(inner)))


def encode_tensor_type(element: int, shape: Sequence[int] | None) -> bytes:
    """Return the TypeProto of a tensor; a negative dimension is left open."""
    body = encode_number(1, element)
    if shape is not None:
        dims = (encode_number(1, dim) if dim >= 0 else b"" for dim in shape)
        body += encode_bytes(2, b"".join(encode_bytes(1, dim) for dim in dims))
    return encode_bytes(1, body)
