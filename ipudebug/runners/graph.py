"""An ONNX graph as the executor sees it: nodes in execution order, who reads what, and where the weights lie.

Each part keeps the bytes that it had in the file, so that a piece of the graph is put together without decoding and
encoding it. The data of a large weight is not among them: only its place in the file is.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ipudebug.errors import ModelError
from ipudebug.runners.convert import encode_node
from ipudebug.runners.elements import HALF
from ipudebug.runners.protobuf import read_fields, read_text, to_signed


class Node(NamedTuple):
    """An operator; ``captured`` are names that the bodies of an If, Loop or Scan take from around it."""

    name: str
    op_type: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    captured: tuple[str, ...]
    proto: bytes

    @property
    def label(self) -> str:
        """The node's name or, if it has none, its type: what the vendor's dump prints (SPEC 6.2)."""
        return self.name or self.op_type

    @property
    def reads(self) -> Iterator[str]:
        """Names of the values that the node needs."""
        return (name for name in (*self.inputs, *self.captured) if name)

    @property
    def is_constant(self) -> bool:
        """Whether it is a Constant: a weight in a node's clothes."""
        return self.op_type == "Constant" and self.domain in ("", "ai.onnx")

    def read_integer(self, name: str, default: int) -> int:
        """Return an integer attribute."""
        for attribute in read_fields(self.proto, 0, len(self.proto)):
            if attribute.number == 5:
                parts = {part.number: part for part in read_fields(self.proto, attribute.begin, attribute.end)}
                if 1 in parts and read_text(self.proto, parts[1]) == name:
                    return to_signed(parts[3].value) if 3 in parts else 0
        return default

    def describe(self) -> str:
        """Return what the node is, for messages."""
        named = f"node {self.name!r}" if self.name else f"the node without a name that makes {self.outputs[0]!r}"
        return f"{named} ({self.domain + '.' if self.domain else ''}{self.op_type})"


class Weight(NamedTuple):
    """An initialiser.

    ``proto`` is its TensorProto (SparseTensorProto if ``sparse``). A large one embedded in the model file has no data
    in ``proto``: ``place`` is the offset of its bytes in the file. ``external`` is the name of another file with the
    data, offset and length there (0: to the end).
    """

    name: str
    element: int
    shape: tuple[int, ...]
    proto: bytes
    place: int | None = None
    external: tuple[str, int, int] | None = None
    sparse: bool = False


class Value(NamedTuple):
    """A declared input, output or inner value.

    ``type_proto`` is its TypeProto without shape; None if the model gives none. ``element`` and ``shape`` are those of
    a tensor: 0 for anything else, None for a shape that is not given; a dimension that is not fixed is -1.
    """

    name: str
    type_proto: bytes | None
    element: int
    shape: tuple[int, ...] | None
    proto: bytes


@dataclass(slots=True)
class Uses:
    """What a graph uses anywhere, the bodies of control flow included."""

    elements: set[int] = field(default_factory=set)
    op_types: set[str] = field(default_factory=set)

    @property
    def half(self) -> bool:
        """Whether the model declares a float16 or bfloat16 value or casts to one."""
        return not self.elements.isdisjoint(HALF)

    @property
    def optional(self) -> bool:
        """Whether the model makes optionals; onnxruntime's Python interface dies of one without a value."""
        return "Optional" in self.op_types


@dataclass(slots=True)
class Graph:
    """A model's main graph.

    Attributes:
        header: what of the model belongs to every piece: versions, opsets, functions.
        nodes: in execution order.
        weights, values: by name; ``values`` are the inner ones and the outputs that the model states a type of.
        inputs, outputs: as declared.
        annotations: tensor -> the texts of its ``quantization_annotation``.
        metadata: the model's ``metadata_props``.
        uses: see ``Uses``.
    """

    header: bytes = b""
    nodes: list[Node] = field(default_factory=list)
    weights: dict[str, Weight] = field(default_factory=dict)
    inputs: list[Value] = field(default_factory=list)
    outputs: list[Value] = field(default_factory=list)
    values: dict[str, Value] = field(default_factory=dict)
    annotations: dict[str, dict[str, str]] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    uses: Uses = field(default_factory=Uses)

    @property
    def feeds(self) -> list[Value]:
        """The real inputs: old models list their initialisers as inputs too."""
        return [value for value in self.inputs if value.name not in self.weights]


def order_nodes(graph: Graph) -> list[Node]:
    """Return the nodes in execution order: that of the file, except where a node would come before what it reads.

    Raises ModelError for a value that two nodes make or that nothing makes, and for a circle.
    """
    maker: dict[str, int] = {}
    given = {value.name for value in graph.inputs} | graph.weights.keys()
    for index, node in enumerate(graph.nodes):
        for name in filter(None, node.outputs):
            if name in maker or name in given:
                other = graph.nodes[maker[name]].describe() if name in maker else "the graph's inputs or weights"
                raise ModelError(
                    f"{node.describe()} makes the value {name!r}, which {other} makes already",
                    "every value of an ONNX graph has one maker: export the model again, or rename one of the two",
                )
            maker[name] = index
    waits_for = [{maker[name] for name in node.reads if name in maker} for node in graph.nodes]
    for node in graph.nodes:
        for name in node.reads:
            if name not in maker and name not in given:
                raise ModelError(
                    f"{node.describe()} reads the value {name!r}, which nothing makes",
                    "it is no input, no weight and no node's output: check the model with onnx.checker.check_model",
                )
    for value in graph.outputs:
        if value.name not in maker and value.name not in given:
            raise ModelError(
                f"the model's output {value.name!r} is made by no node",
                "check the model with onnx.checker.check_model",
            )
    if all(not before or max(before) < index for index, before in enumerate(waits_for)):
        return graph.nodes
    return [graph.nodes[index] for index in _sort(waits_for, graph.nodes)]


def _sort(waits_for: Sequence[set[int]], nodes: Sequence[Node]) -> list[int]:
    """Return the indices with each after those that it waits for, the smallest possible first."""
    followers: list[list[int]] = [[] for _ in waits_for]
    open_count = [len(before) for before in waits_for]
    for index, before in enumerate(waits_for):
        for other in before:
            followers[other].append(index)
    ready = [index for index, count in enumerate(open_count) if count == 0]
    order = []
    while ready:
        index = heapq.heappop(ready)
        order.append(index)
        for follower in followers[index]:
            open_count[follower] -= 1
            if open_count[follower] == 0:
                heapq.heappush(ready, follower)
    if len(order) < len(nodes):
        stuck = next(index for index, count in enumerate(open_count) if count)
        raise ModelError(
            f"{nodes[stuck].describe()} waits for its own result: the graph has a circle",
            "an ONNX graph must be free of circles: export the model again",
        )
    return order


def find_last_readers(nodes: Sequence[Node]) -> dict[str, int]:
    """Return for each value that a node reads the index of the last such node."""
    last: dict[str, int] = {}
    for index, node in enumerate(nodes):
        for name in node.reads:
            last[name] = index
    return last


def copy_unmade_outputs(graph: Graph) -> dict[str, str]:
    """Give each output that no node makes, an input or a weight passed through, an Identity at the end of the graph.

    Returns the names that these nodes make and the outputs that they stand for.
    """
    made = {name for node in graph.nodes for name in node.outputs}
    copies = {}
    for value in graph.outputs:
        if value.name in made:
            continue
        copy = value.name + "/copy"
        while copy in made or copy in graph.weights:
            copy += "_"
        proto = encode_node("Identity", value.name, copy)
        graph.nodes.append(Node("", "Identity", "", (value.name,), (copy,), (), proto))
        copies[copy] = value.name
        made.add(value.name)
    return copies
