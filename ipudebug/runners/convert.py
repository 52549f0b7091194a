"""Models of one or two operators that bring tensors into the element type and order in which they are delivered."""

from __future__ import annotations

import numpy as np

from ipudebug.runners.elements import ELEMENT_TYPES, STRING
from ipudebug.runners.protobuf import encode_bytes, encode_number

_IR_VERSIONS = {13: 8, 19: 9, 21: 10, 23: 11, 24: 12}
_INT, _INTS = 2, 7  # AttributeProto.type


def encode_converter(source: int, target: int, transpose: bool) -> bytes:
    """Return a model of one input x and one output y: Cast, Transpose from NCHW to NHWC, or both."""
    opset = max(ELEMENT_TYPES[source].opset, ELEMENT_TYPES[target].opset)
    nodes = []
    if source != target:
        attribute = encode_bytes(1, "to") + encode_number(3, target) + encode_number(20, _INT)
        nodes.append(encode_node("Cast", "x", "c" if transpose else "y", attribute))
    if transpose:
        attribute = encode_bytes(1, "perm") + b"".join(encode_number(8, axis) for axis in (0, 2, 3, 1))
        nodes.append(encode_node("Transpose", "c" if nodes else "x", "y", attribute + encode_number(20, _INTS)))
    graph = b"".join(encode_bytes(1, node) for node in nodes) + encode_bytes(2, "convert")
    for number, name, element in ((11, "x", source), (12, "y", target)):
        kind = encode_bytes(1, encode_number(1, element))
        graph += encode_bytes(number, encode_bytes(1, name) + encode_bytes(2, kind))
    header = encode_number(1, _IR_VERSIONS.get(opset, 13)) + encode_bytes(8, encode_number(2, opset))
    return header + encode_bytes(7, graph)


def encode_texts(array: np.ndarray) -> bytes:
    """Return a model without inputs whose output y is an array of texts."""
    weight = b"".join(encode_number(1, dim) for dim in array.shape) + encode_number(2, STRING) + encode_bytes(8, "x")
    weight += b"".join(encode_bytes(6, text if isinstance(text, bytes) else str(text)) for text in array.flat)
    value = encode_bytes(1, "y") + encode_bytes(2, encode_bytes(1, encode_number(1, STRING)))
    node = encode_bytes(1, encode_node("Identity", "x", "y"))
    graph = node + encode_bytes(2, "texts") + encode_bytes(5, weight) + encode_bytes(12, value)
    return encode_number(1, 8) + encode_bytes(8, encode_number(2, 13)) + encode_bytes(7, graph)


def encode_node(op_type: str, read: str, made: str, attribute: bytes = b"") -> bytes:
    """Return a NodeProto of one input and one output."""
    proto = encode_bytes(1, read) + encode_bytes(2, made) + encode_bytes(4, op_type)
    return proto + (encode_bytes(5, attribute) if attribute else b"")
