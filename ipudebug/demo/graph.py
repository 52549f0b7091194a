"""The nodes of an ONNX graph with the constants that they read, for whoever wants to change one."""

from __future__ import annotations

import difflib
import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from ipudebug.errors import ModelError

if TYPE_CHECKING:
    import onnx


class UnknownLayer(ModelError):
    """The graph has no node of that name."""


class Graph:
    """The main graph of a model, with what its layers have to look up.

    Attributes:
        model: its weights must be loaded, as ``onnx.load`` does; under 2 GB.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = model
        self.constants = _collect_constants(model.graph)

    @property
    def layers(self) -> list[Layer]:
        """The nodes of the graph, in its order."""
        return [Layer(self, node) for node in self.model.graph.node]

    @property
    def opset(self) -> int:
        """Version of the standard operators that the model uses."""
        return next((int(item.version) for item in self.model.opset_import if item.domain in ("", "ai.onnx")), 1)

    @functools.cached_property
    def dtypes(self) -> dict[str, np.dtype]:
        """Tensor name -> dtype, where shape inference finds it out."""
        import onnx

        graph = onnx.shape_inference.infer_shapes(self.model).graph
        values = [value for value in (*graph.value_info, *graph.output) if value.type.tensor_type.elem_type]
        elements = {value.name: value.type.tensor_type.elem_type for value in values}
        return {name: np.dtype(onnx.helper.tensor_dtype_to_np_dtype(item)) for name, item in elements.items()}

    def find_layer(self, name: str) -> Layer:
        """Return the layer whose node, or one of whose outputs, has that name; raises UnknownLayer."""
        layers = self.layers
        named = [layer for layer in layers if layer.node.name == name]
        named += [layer for layer in layers if name in layer.node.output]
        if named:
            return named[0]
        known = list(dict.fromkeys(layer.name for layer in layers))
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        some = ", ".join(known[:8]) + " ..." * (len(known) > 8)
        hint = f"did you mean {' or '.join(near)}?" if near else f"it has {some}"
        raise UnknownLayer(f"the model has no layer {name!r}", hint)

    def count_readers(self, name: str) -> int:
        """Return how often a tensor is read: by nodes, also those of inner graphs, and as an output."""
        graph = self.model.graph
        read = [value.name for value in graph.output]
        read += [text for node in _walk_nodes(graph) for text in node.input]
        return read.count(name)

    def add_constant(self, name: str, array: np.ndarray) -> str:
        """Add an initializer; returns its name: ``name``, made longer until no tensor of the model has it."""
        import onnx

        graph = self.model.graph
        taken = {value.name for value in (*graph.input, *graph.initializer)}
        taken |= {text for node in _walk_nodes(graph) for text in (*node.input, *node.output)}
        while name in taken:
            name += "_"
        graph.initializer.append(onnx.numpy_helper.from_array(array, name))
        self.constants[name] = graph.initializer[-1]
        return name


class Layer:
    """A node of a graph; what is changed through it is changed in the model."""

    def __init__(self, graph: Graph, node: onnx.NodeProto) -> None:
        self.graph = graph
        self.node = node

    @property
    def name(self) -> str:
        """The node's name, or its first output's where it has none."""
        return self.node.name or next(iter(self.node.output), "")

    @property
    def dtype(self) -> np.dtype | None:
        """The dtype of the first output, None where it is not known."""
        return self.graph.dtypes.get(next(iter(self.node.output), ""))

    def get_attribute(self, name: str, default: Any = None) -> Any:
        """Return the value of an attribute, or the default where the node has none of that name."""
        import onnx

        there = [item for item in self.node.attribute if item.name == name]
        return onnx.helper.get_attribute_value(there[0]) if there else default

    def set_attribute(self, name: str, value: Any) -> None:
        """Give an attribute a value, whether or not the node has it already."""
        import onnx

        there = [item for item in self.node.attribute if item.name == name]
        (there[0] if there else self.node.attribute.add()).CopyFrom(onnx.helper.make_attribute(name, value))

    def read_constant(self, position: int) -> np.ndarray | None:
        """Return a copy of the constant that input ``position`` reads, None where that is no constant or not there."""
        import onnx

        tensor = self.graph.constants.get(self._get_input(position))
        return None if tensor is None else onnx.numpy_helper.to_array(tensor).copy()

    def replace_constant(self, position: int, array: np.ndarray) -> None:
        """Make input ``position`` read ``array``; other readers of what it read before go on reading that.

        An initializer that is this node's alone keeps its name; what a Constant node makes stays as it is. Positions
        before this one that are left out are left empty.
        """
        import onnx

        old = self._get_input(position)
        own = [tensor for tensor in self.graph.model.graph.initializer if tensor.name == old]
        if own and self.graph.count_readers(old) == 1:
            own[0].CopyFrom(onnx.numpy_helper.from_array(array, old))
            return
        self.node.input.extend([""] * (position + 1 - len(self.node.input)))
        self.node.input[position] = self.graph.add_constant(f"{self.name}.{position}", array)

    def _get_input(self, position: int) -> str:
        """Return the name of an input, "" where it is left out."""
        return str(self.node.input[position]) if position < len(self.node.input) else ""


def _collect_constants(graph: onnx.GraphProto) -> dict[str, onnx.TensorProto]:
    """Return the dense constants of a graph by name: initializers, and what Constant nodes make."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        for attribute in node.attribute if node.op_type == "Constant" else ():
            if attribute.name == "value":
                constants[node.output[0]] = attribute.t
    return constants


def _walk_nodes(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """Return the nodes of a graph and of all graphs inside it, which read its constants too."""
    nodes = []
    for node in graph.node:
        nodes.append(node)
        for attribute in node.attribute:
            for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                nodes += _walk_nodes(inner)
    return nodes
