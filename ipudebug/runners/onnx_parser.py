"""The bytes of an ONNX file -> Graph. Field numbers are those of onnx.proto (IR version 3 to 13)."""

from __future__ import annotations

import math

from ipudebug.runners.elements import ELEMENT_TYPES
from ipudebug.runners.graph import Graph, Node, Uses, Value, Weight
from ipudebug.runners.protobuf import (
    BYTES,
    Buffer,
    Field,
    WireError,
    encode_bytes,
    encode_number,
    read_fields,
    read_integers,
    read_text,
    to_signed,
)

LARGE = 4096
"""Bytes of an embedded weight from which it is read from the file only where a session needs it."""


def parse_model(data: Buffer) -> Graph | None:
    """Return the main graph of a ModelProto; None if the message has no graph; raises WireError.

    Model-level fields that a piece of the model needs (IR version 1, opset imports 8, functions 25) make the header;
    training information and texts are left out.
    """
    graph = Graph()
    found = False
    for field in read_fields(data, 0, len(data)):
        if field.number in (1, 8, 25):
            graph.header += data[field.start : field.end]
        elif field.number == 7 and field.wire == BYTES:
            found = True
            _parse_graph(data, field, graph)  # a second graph field adds to the first, as in every protobuf reader
        elif field.number == 14 and field.wire == BYTES:
            graph.metadata |= _parse_entry(data, field)
    return graph if found else None


def _parse_graph(data: Buffer, whole: Field, graph: Graph) -> None:
    """Add the parts of a GraphProto to ``graph``."""
    for field in read_fields(data, whole.begin, whole.end):
        if field.wire != BYTES:
            continue
        if field.number == 1:
            graph.nodes.append(parse_node(bytes(data[field.begin : field.end]), graph.uses))
        elif field.number in (5, 15):
            weight = (parse_weight if field.number == 5 else _parse_sparse_weight)(data, field)
            graph.weights[weight.name] = weight  # of two with one name onnxruntime takes the later, too
            graph.uses.elements.add(weight.element)
        elif field.number in (11, 12, 13):
            value = parse_value(bytes(data[field.begin : field.end]))
            graph.uses.elements.add(value.element)
            if field.number == 11:
                graph.inputs.append(value)
            else:
                graph.values[value.name] = value
            if field.number == 12:
                graph.outputs.append(value)
        elif field.number == 14:
            _parse_annotation(data, field, graph.annotations)


def _parse_entry(data: Buffer, whole: Field) -> dict[str, str]:
    """Return a StringStringEntryProto."""
    pair = {part.number: read_text(data, part) for part in read_fields(data, whole.begin, whole.end)}
    return {pair.get(1, ""): pair.get(2, "")}


def _parse_annotation(data: Buffer, whole: Field, annotations: dict[str, dict[str, str]]) -> None:
    """Add a TensorAnnotation; the last one of a tensor counts."""
    name = ""
    entries: dict[str, str] = {}
    for field in read_fields(data, whole.begin, whole.end):
        if field.number == 1:
            name = read_text(data, field)
        elif field.number == 2:
            entries |= _parse_entry(data, field)
    annotations[name] = entries


def parse_node(proto: bytes, uses: Uses) -> Node:
    """Return a NodeProto; its type, and the element type that a Cast makes, are added to ``uses``."""
    texts: dict[int, list[str]] = {1: [], 2: [], 3: [""], 4: [""], 7: [""]}
    captured: dict[str, None] = {}
    for field in read_fields(proto, 0, len(proto)):
        if field.number in texts:
            texts[field.number].append(read_text(proto, field))
        elif field.number == 5:
            _parse_attribute(proto, field, captured, uses)
    if not texts[4][-1]:
        raise WireError(f"node {texts[3][-1]!r} (outputs {texts[2]}) has no operator type")
    uses.op_types.add(texts[4][-1])
    inputs, outputs = tuple(texts[1]), tuple(texts[2])
    return Node(texts[3][-1], texts[4][-1], texts[7][-1], inputs, outputs, tuple(captured), proto)


def _parse_attribute(data: bytes, whole: Field, captured: dict[str, None], uses: Uses) -> None:
    """Add what the bodies in an attribute take from outside to ``captured``; note ``to=FLOAT16`` and its like."""
    name = ""
    for field in read_fields(data, whole.begin, whole.end):
        if field.number == 1:
            name = read_text(data, field)
        elif field.number == 3 and name == "to":
            uses.elements.add(field.value)
        elif field.number in (6, 11) and field.wire == BYTES:
            captured |= dict.fromkeys(_find_captured(data, field, uses))


def _find_captured(data: bytes, body: Field, uses: Uses) -> list[str]:
    """Return the names that a body reads and does not make itself."""
    made: set[str] = set()
    read: list[str] = []
    for field in read_fields(data, body.begin, body.end):
        if field.wire != BYTES:
            continue
        if field.number == 1:
            node = parse_node(data[field.begin : field.end], uses)
            read += node.reads
            made |= set(node.outputs)
        elif field.number in (5, 15):
            weight = (parse_weight if field.number == 5 else _parse_sparse_weight)(data, field)
            made.add(weight.name)
        elif field.number == 11:
            made.add(parse_value(data[field.begin : field.end]).name)
        elif field.number == 12:
            read.append(parse_value(data[field.begin : field.end]).name)
    return [name for name in dict.fromkeys(read) if name not in made]


def parse_weight(data: Buffer, whole: Field) -> Weight:
    """Return a TensorProto; the data of a large one stays where it is."""
    name, element, shape = "", 0, []
    raw: Field | None = None
    is_external = False
    entries: dict[str, str] = {}
    for field in read_fields(data, whole.begin, whole.end):
        if field.number == 1:
            shape += read_integers(data, field)
        elif field.number == 2:
            element = field.value
        elif field.number == 8:
            name = read_text(data, field)
        elif field.number == 9:
            raw = field
        elif field.number == 13:
            entries |= _parse_entry(data, field)
        elif field.number == 14:
            is_external = field.value == 1
    dims = tuple(shape)
    if is_external:
        try:
            external = (entries.get("location", ""), int(entries.get("offset") or 0), int(entries.get("length") or 0))
        except ValueError:
            raise WireError(f"weight {name!r}: offset or length of its external data is no number") from None
        return Weight(name, element, dims, bytes(data[whole.begin : whole.end]), external=external)
    known = ELEMENT_TYPES.get(element)
    if raw is None or raw.end - raw.begin < LARGE or known is None or known.dtype is None or known.carrier != element:
        return Weight(name, element, dims, bytes(data[whole.begin : whole.end]))
    if raw.end - raw.begin != math.prod(dims) * known.dtype.itemsize:
        raise WireError(
            f"weight {name!r} of shape {list(dims)} and type {known.name} holds {raw.end - raw.begin} bytes "
            f"instead of {math.prod(dims) * known.dtype.itemsize}"
        )
    return Weight(name, element, dims, bytes(data[whole.begin : raw.start]) + data[raw.end : whole.end], raw.begin)


def _parse_sparse_weight(data: Buffer, whole: Field) -> Weight:
    """Return a SparseTensorProto, whose name is that of its values."""
    name, element = "", 0
    for field in read_fields(data, whole.begin, whole.end):
        if field.number == 1:
            values = parse_weight(data, field)
            name, element = values.name, values.element
    return Weight(name, element, (), bytes(data[whole.begin : whole.end]), sparse=True)


def parse_value(proto: bytes) -> Value:
    """Return a ValueInfoProto."""
    name, type_proto, element, shape = "", None, 0, None
    for field in read_fields(proto, 0, len(proto)):
        if field.number == 1:
            name = read_text(proto, field)
        elif field.number == 2:
            type_proto = proto[field.begin : field.end]
            for kind in read_fields(proto, field.begin, field.end):
                if kind.number == 1:
                    element, shape = _parse_tensor_type(proto, kind)
                    type_proto = encode_bytes(1, encode_number(1, element))
    return Value(name, type_proto, element, shape, proto)


def _parse_tensor_type(data: bytes, whole: Field) -> tuple[int, tuple[int, ...] | None]:
    """Return element type and shape of a TypeProto.Tensor."""
    element, shape = 0, None
    for field in read_fields(data, whole.begin, whole.end):
        if field.number == 1:
            element = field.value
        elif field.number == 2:
            dims = [list(read_fields(data, dim.begin, dim.end)) for dim in read_fields(data, field.begin, field.end)]
            fixed = [next((part.value for part in dim if part.number == 1), -1) for dim in dims]
            shape = tuple(max(to_signed(dim), -1) for dim in fixed)
    return element, shape
