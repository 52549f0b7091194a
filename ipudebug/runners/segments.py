"""A graph -> pieces that run one after the other, each a small ONNX model.

How a graph is cut: a segment takes nodes while the sum of what they make stays within a budget of bytes, at least one
node. Sizes come from onnxruntime's own shape inference where it knows them, from the tensors themselves once they
exist, and are guessed to be those of the node's largest input otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from ipudebug.runners.elements import ELEMENT_TYPES, encode_tensor_type
from ipudebug.runners.graph import Graph, Node
from ipudebug.runners.protobuf import encode_bytes, encode_number


def take_segment(nodes: Sequence[Node], start: int, sizes: dict[str, int], budget: int) -> int:
    """Return the index after the last node of the segment that begins with node ``start``.

    ``sizes`` gives the bytes of values; what it lacks is guessed and added.
    """
    total = 0
    for index in range(start, len(nodes)):
        node = nodes[index]
        guess = max((sizes.get(name, 0) for name in node.reads), default=0)
        total += sum(sizes.setdefault(name, guess) for name in node.outputs if name)
        if total > budget and index > start:
            return index
    return len(nodes)


def measure_outputs(outputs: Iterable[tuple[str, int, Sequence[object] | None]]) -> dict[str, int]:
    """Return the bytes of those values, given as name, element type and shape, whose type and dimensions are known."""
    sizes = {}
    for name, number, shape in outputs:
        element = ELEMENT_TYPES.get(number)
        if shape is None:
            continue
        dims = [dim for dim in shape if isinstance(dim, int) and dim >= 0]  # a damaged model may state negative ones
        if element and element.dtype and len(dims) == len(shape):
            sizes[name] = math.prod(dims) * element.dtype.itemsize
    return sizes


class SegmentBuilder:
    """Puts pieces of one graph together.

    Constants count as weights: each piece that reads one gets the node itself, so that what was constant for the
    operators of the whole model is constant for those of the piece.
    """

    def __init__(self, graph: Graph) -> None:
        """Index what pieces have in common."""
        self._graph = graph
        self._constants = {name: node for node in graph.nodes if node.is_constant for name in node.outputs}
        self._listed = {value.name: value for value in graph.inputs if value.name in graph.weights}

    def find_inputs(self, nodes: Sequence[Node]) -> list[str]:
        """Return the values that the nodes need from outside: neither made among them, nor weights or Constants."""
        known = {name for node in nodes for name in node.outputs} | self._graph.weights.keys() | self._constants.keys()
        return list(dict.fromkeys(name for node in nodes for name in node.reads if name not in known))

    def find_weights(self, nodes: Iterable[Node]) -> list[str]:
        """Return the weights that the nodes read."""
        weights = self._graph.weights
        return list(dict.fromkeys(name for node in nodes for name in node.reads if name in weights))

    def build(self, nodes: Sequence[Node], input_types: Mapping[str, bytes], weights_as_inputs: bool = False) -> bytes:
        """Return the model of these nodes with all their outputs as its outputs.

        Args:
            nodes: the piece, in execution order.
            input_types: a TypeProto for each of ``find_inputs``.
            weights_as_inputs: large weights become inputs, so that the model can be loaded without their data.

        Large embedded weights refer to a file that does not exist: ``add_external_initializers`` provides them.
        """
        own = {name for node in nodes for name in node.outputs}
        read = dict.fromkeys(name for node in nodes for name in node.reads)
        borrowed = {id(node): node for name in read if name not in own and (node := self._constants.get(name))}
        parts = [encode_bytes(1, node.proto) for node in (*borrowed.values(), *nodes)]
        parts.append(encode_bytes(2, "segment"))
        parts += [encode_bytes(11, _encode_value(name, kind)) for name, kind in input_types.items()]
        for name in self.find_weights(nodes):
            parts += self._encode_weight(name, weights_as_inputs)
        for node in nodes:
            parts += [encode_bytes(12, self._encode_output(name)) for name in node.outputs if name]
        return self._graph.header + encode_bytes(7, b"".join(parts))

    def _encode_weight(self, name: str, as_input: bool) -> list[bytes]:
        """Return the graph fields of one weight."""
        weight = self._graph.weights[name]
        if as_input and (weight.place is not None or weight.external):
            return [encode_bytes(11, _encode_value(name, encode_tensor_type(weight.element, weight.shape)))]
        proto = weight.proto
        if weight.place is not None:
            proto += encode_bytes(13, encode_bytes(1, "location") + encode_bytes(2, "embedded")) + encode_number(14, 1)
        fields = [encode_bytes(15 if weight.sparse else 5, proto)]
        if name in self._listed:  # so it may be overridden, and onnxruntime does not treat it as constant
            fields.append(encode_bytes(11, self._listed[name].proto))
        return fields

    def _encode_output(self, name: str) -> bytes:
        """Return an output with the type that the model declares for it; onnxruntime infers what it does not say."""
        value = self._graph.values.get(name)
        return _encode_value(name, value.type_proto if value else None)


def _encode_value(name: str, type_proto: bytes | None) -> bytes:
    """Return a ValueInfoProto."""
    return encode_bytes(1, name) + (encode_bytes(2, type_proto) if type_proto is not None else b"")
