"""A float model as calibration looks at it: nodes with their attributes, constants, shapes, and who reads what."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ipudebug.sim.constraints.graph import STANDARD_DOMAINS
from ipudebug.sim.draft import Draft, list_reads, read_attributes
from ipudebug.sim.folding import fold_constants

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

EPSILON = 1e-5
"""What a BatchNormalization adds to the variance where the node does not say."""


@dataclass(eq=False)
class FloatNode:
    """One node of the float model.

    Attributes:
        proto: as the graph has it.
        op: its type; with the domain in front where that is not the standard one.
        inputs, outputs: names; an empty one for what is left out.
        attributes: plain Python values.
        activation: the Relu or Clip that is computed together with it, and makes its output.
    """

    proto: NodeProto
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]
    activation: FloatNode | None = field(default=None, repr=False)

    @property
    def label(self) -> str:
        """Name and type, for messages and for the nodes that are made of it."""
        return self.proto.name or self.outputs[0]

    @property
    def output(self) -> str:
        """The first output, behind the activation if there is one."""
        return (self.activation or self).outputs[0]

    def text(self, name: str, default: str) -> str:
        """Return a text attribute."""
        value = self.attributes.get(name, default)
        return value.decode() if isinstance(value, bytes) else str(value)


class FloatNetwork:
    """The graph of a float model, whoever wrote it, with constants computed and batch norms taken apart.

    Args:
        model: ONNX, every tensor of a fixed shape; it is copied.
        kept: tensors that stay even if no output depends on them.

    Attributes:
        draft: the graph; the source of types and weights.
        nodes: in execution order.
        opset: of the standard operators.
        readers: tensor -> the nodes that read it, bodies of control flow included.
    """

    def __init__(self, model: ModelProto, kept: Collection[str] = ()) -> None:
        """Compute constants and learn every type; raises ModelError for a tensor whose shape nobody can tell."""
        import onnx

        copy = onnx.ModelProto()
        copy.CopyFrom(model)
        self.draft = Draft(copy)
        fold_constants(self.draft)
        _drop_unused(self.draft, kept)
        _split_batch_norms(self.draft)
        self.nodes = [_read_node(node) for node in self.draft.nodes]
        versions = (item.version for item in copy.opset_import if item.domain in STANDARD_DOMAINS)
        self.opset = max(versions, default=1)
        self.readers: dict[str, list[FloatNode]] = {}
        for node in self.nodes:
            for name in dict.fromkeys(list_reads(node.proto)):
                self.readers.setdefault(name, []).append(node)
        self.inputs = tuple(info.name for info in self.draft.inputs)
        self.outputs = tuple(info.name for info in self.draft.outputs)
        self._arrays: dict[str, np.ndarray | None] = {}

    def constant(self, name: str) -> np.ndarray | None:
        """Return the values of a constant, or None where ``name`` is none."""
        if name not in self._arrays:
            self._arrays[name] = self.draft.read_weight(name) if name else None
        return self._arrays[name]

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the fixed shape of a tensor; ``()`` where it has none, of a sequence for example."""
        return self.draft.find_shape(name) or ()

    def is_activation(self, name: str) -> bool:
        """Return whether a tensor is float32 and depends on what is fed: the tensors that become integers."""
        from onnx import TensorProto

        kind = self.draft.types.get(name)
        return (
            kind is not None
            and name not in self.draft.weights
            and kind.tensor_type.elem_type == TensorProto.FLOAT
            and self.draft.find_shape(name) is not None
        )

    def list_activations(self) -> Iterator[str]:
        """Yield every activation, inputs first, then in execution order."""
        for name in (*self.inputs, *(name for node in self.nodes for name in node.outputs)):
            if name and self.is_activation(name):
                yield name

    def has_one_reader(self, name: str) -> bool:
        """Return whether exactly one node reads a tensor that is no output of the model."""
        return name not in self.outputs and len(self.readers.get(name, ())) == 1

    def build_model(self) -> ModelProto:
        """Return the graph as it is run to observe it."""
        return self.draft.build_model(with_weights=True)


def _read_node(proto: NodeProto) -> FloatNode:
    """Return a node with its attributes."""
    op = proto.op_type if proto.domain in STANDARD_DOMAINS else f"{proto.domain}.{proto.op_type}"
    return FloatNode(proto, op, tuple(proto.input), tuple(proto.output), read_attributes(proto))


def _drop_unused(draft: Draft, kept: Collection[str]) -> None:
    """Drop the nodes and weights that no output and none of the ``kept`` tensors depend on."""
    needed = {*kept, *(info.name for info in draft.outputs)}
    nodes = []
    for node in reversed(draft.nodes):
        if not needed.isdisjoint(filter(None, node.output)):
            needed.update(list_reads(node))
            nodes.append(node)
    draft.nodes = nodes[::-1]
    draft.weights = {name: tensor for name, tensor in draft.weights.items() if name in needed}


def _split_batch_norms(draft: Draft) -> None:
    """Replace every BatchNormalization that is left by a Mul and an Add, as the vendor's converter does."""
    nodes = []
    for node in draft.nodes:
        nodes += _split_batch_norm(node, draft) or [node]
    draft.nodes = nodes


def _split_batch_norm(node: NodeProto, draft: Draft) -> list[NodeProto] | None:
    """Return the Mul and the Add of a batch norm that only infers, None for any other node."""
    from onnx import helper

    if node.op_type != "BatchNormalization" or node.domain not in STANDARD_DOMAINS:
        return None
    values = [draft.read_weight(name) for name in node.input[1:5]]
    shape, attributes = draft.find_shape(node.output[0]), read_attributes(node)
    if shape is None or attributes.get("training_mode") or len(list(filter(None, node.output))) > 1:
        return None
    if not all(array is not None and array.dtype == np.float32 for array in values):
        return None
    gamma, beta, mean, variance = (np.asarray(array, np.float64) for array in values)
    factor = gamma / np.sqrt(variance + attributes.get("epsilon", EPSILON))
    channels = (-1, *[1] * (len(shape) - 2))
    stem = node.name or node.output[0]
    constants = {"scale": factor, "offset": beta - mean * factor}
    names = [
        draft.add_weight(f"{stem}_{name}", array.astype(np.float32).reshape(channels))
        for name, array in constants.items()
    ]
    inner = f"{stem}_MUL_output"
    draft.types[inner] = draft.types[node.output[0]]
    return [
        helper.make_node("Mul", [node.input[0], names[0]], [inner], name=f"{stem}_MUL"),
        helper.make_node("Add", [inner, names[1]], [node.output[0]], name=stem),
    ]
