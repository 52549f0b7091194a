"""ONNX messages as bytes: a float model is translated and run without the onnx package, whose import takes longer.

The numbers of the fields are those of onnx.proto.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ipudebug.runners.elements import ELEMENT_TYPES, encode_tensor_type
from ipudebug.runners.protobuf import encode_bytes, encode_number, encode_varint

Attribute = int | float | str | Sequence[int]

_FLOAT, _INT, _STRING, _INTS = 1, 2, 3, 7  # AttributeProto.type
_FIXED32 = 5  # wire type
_IR_VERSION = 8
_PRODUCER = "ipudebug"
_NUMBERS = {kind.dtype: number for number, kind in ELEMENT_TYPES.items() if kind.carrier == number and kind.dtype}


def find_element(dtype: np.dtype) -> int:
    """Return ONNX's number of an element type of numpy."""
    return _NUMBERS[dtype.newbyteorder("=")]


def encode_node(
    op_type: str, inputs: Sequence[str], outputs: Sequence[str], domain: str, attributes: Mapping[str, Attribute]
) -> bytes:
    """Return a NodeProto."""
    parts = [encode_bytes(1, name) for name in inputs]
    parts += [encode_bytes(2, name) for name in outputs]
    parts.append(encode_bytes(4, op_type))
    parts += [encode_bytes(5, _encode_attribute(name, attributes[name])) for name in sorted(attributes)]
    if domain:
        parts.append(encode_bytes(7, domain))
    return b"".join(parts)


def _encode_attribute(name: str, value: Attribute) -> bytes:
    """Return an AttributeProto; what kind it is, the type of the value says."""
    head = encode_bytes(1, name)
    if isinstance(value, str):
        return head + encode_bytes(4, value) + encode_number(20, _STRING)
    if isinstance(value, float):
        with np.errstate(over="ignore"):  # what a float32 cannot hold is an infinity
            number = np.array(value, "<f4").tobytes()
        return head + encode_varint(2 << 3 | _FIXED32) + number + encode_number(20, _FLOAT)
    if isinstance(value, int):
        return head + encode_number(3, value) + encode_number(20, _INT)
    return head + b"".join(encode_number(8, int(one)) for one in value) + encode_number(20, _INTS)


def encode_weight(name: str, array: np.ndarray) -> bytes:
    """Return a TensorProto with an array's elements."""
    shape = b"".join(encode_number(1, dim) for dim in array.shape)
    data = np.asarray(array, array.dtype.newbyteorder("<"), order="C").tobytes()
    return shape + encode_number(2, find_element(array.dtype)) + encode_bytes(8, name) + encode_bytes(9, data)


def encode_value(name: str, element: int, shape: Sequence[int]) -> bytes:
    """Return the ValueInfoProto of a tensor."""
    return encode_bytes(1, name) + encode_bytes(2, encode_tensor_type(element, shape))


def encode_model(
    nodes: Sequence[bytes],
    weights: Sequence[bytes],
    inputs: Sequence[bytes],
    outputs: Sequence[bytes],
    opsets: Mapping[str, int],
    metadata: Mapping[str, str],
) -> bytes:
    """Return a ModelProto of one graph.

    Nodes, weights, inputs and outputs are the graph's own messages; ``opsets`` gives the version of each domain's
    operators, ``metadata`` becomes ``metadata_props``.
    """
    parts = [encode_bytes(1, node) for node in nodes]
    parts.append(encode_bytes(2, "vendor"))
    for number, messages in ((5, weights), (11, inputs), (12, outputs)):
        parts += [encode_bytes(number, message) for message in messages]
    model = [encode_number(1, _IR_VERSION), encode_bytes(2, _PRODUCER), encode_bytes(7, b"".join(parts))]
    for domain, version in opsets.items():
        model.append(encode_bytes(8, (encode_bytes(1, domain) if domain else b"") + encode_number(2, version)))
    for key, value in metadata.items():
        model.append(encode_bytes(14, encode_bytes(1, key) + encode_bytes(2, value)))
    return b"".join(model)
