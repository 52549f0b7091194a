"""A model that is being converted: nodes, weights and the type of every tensor, by name, free to be changed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto, TypeProto, ValueInfoProto

LARGEST_STUB = 1024
"""Elements of a weight that is kept where only names, types and small constants matter."""


class Draft:
    """The graph of a model, taken apart.

    Attributes:
        model: all but what follows: versions, opsets, metadata.
        nodes: in execution order.
        weights: initializers by name; the only holder of their data.
        inputs: what must be fed; an initializer that is listed as an input is a weight.
        outputs: in the model's order.
        types: type and shape of tensors, as far as they are known.
        stated: types that the model states of its tensors; a symbolic dimension in them is worth nothing.
    """

    def __init__(self, model: ModelProto, named: Collection[str] = ()) -> None:
        """Take ``model`` apart, which must not be used any more; ``named`` are tensors whose names must survive."""
        graph = model.graph
        self.nodes: list[NodeProto] = list(graph.node)
        self.weights: dict[str, TensorProto] = {tensor.name: tensor for tensor in graph.initializer}
        self.inputs: list[ValueInfoProto] = [info for info in graph.input if info.name not in self.weights]
        self.outputs: list[ValueInfoProto] = list(graph.output)
        self.types: dict[str, TypeProto] = {}
        self.stated: dict[str, TypeProto] = {info.name: info.type for info in (*graph.value_info, *graph.output)}
        self._named = frozenset(named)
        self.model = model
        self._graph_name = graph.name or "graph"
        self._graph_doc = graph.doc_string
        model.ClearField("graph")
        model.ir_version = max(model.ir_version, 4)  # the first whose weights need not be listed as inputs

    @property
    def kept(self) -> frozenset[str]:
        """Names that must survive: the outputs, and those that the user has named."""
        return self._named | {info.name for info in self.outputs}

    @property
    def captured(self) -> set[str]:
        """Names that the bodies of control-flow nodes read; those of the bodies' own tensors are among them."""
        return {name for node in self.nodes for body in list_bodies(node) for name in read_names(body)}

    def count_readers(self) -> Counter[str]:
        """Return how often each tensor is read, by nodes, by bodies, and once as an output of the graph."""
        readers = Counter(info.name for info in self.outputs)
        for node in self.nodes:
            readers.update(list_reads(node))
        return readers

    def find_makers(self) -> dict[str, NodeProto]:
        """Return the node that makes each tensor."""
        return {name: node for node in self.nodes for name in node.output if name}

    def find_shape(self, name: str) -> tuple[int, ...] | None:
        """Return the fixed shape of a tensor, or None where it is not known."""
        kind = self.types.get(name)
        return read_static_shape(kind) if kind is not None else None

    def read_weight(self, name: str) -> np.ndarray | None:
        """Return the values of a weight, or None where ``name`` is none."""
        from onnx import numpy_helper

        tensor = self.weights.get(name)
        values: np.ndarray | None = None if tensor is None else numpy_helper.to_array(tensor)
        return values

    def add_weight(self, name: str, values: np.ndarray) -> str:
        """Take up a weight and return its name: ``name``, with a number if there is such a tensor already."""
        from onnx import numpy_helper

        free, number = name, 1
        while free in self.types or free in self.weights:
            number += 1
            free = f"{name}_{number}"
        self.set_weight(numpy_helper.from_array(np.asarray(values, order="C"), free))
        return free

    def set_weight(self, tensor: TensorProto) -> None:
        """Take up a weight under the tensor's own name."""
        from onnx import helper

        self.weights[tensor.name] = tensor
        self.types[tensor.name] = helper.make_tensor_type_proto(tensor.data_type, list(tensor.dims))

    def build_model(self, *, with_weights: bool) -> ModelProto:
        """Return the model put together again, with the types known of everything that nodes make.

        Without weights, the data of the large ones is missing: they are stubs of a name, a type and a shape.
        """
        import onnx

        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        graph: Any = model.graph
        graph.name, graph.doc_string = self._graph_name, self._graph_doc
        graph.node.extend(self.nodes)
        graph.input.extend(self.inputs)
        graph.output.extend(self.outputs)
        for tensor in self.weights.values():
            if with_weights or math.prod(tensor.dims) <= LARGEST_STUB:
                graph.initializer.append(tensor)
            else:
                graph.initializer.add(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims)
        for info in graph.output:
            if info.name in self.types:
                info.type.CopyFrom(self.types[info.name])
        ends = {info.name for info in self.outputs}
        for node in self.nodes:
            for name in node.output:
                if name in self.types and name not in ends:
                    graph.value_info.add(name=name, type=self.types[name])
        return model


def list_bodies(node: NodeProto) -> Iterator[GraphProto]:
    """Yield the graphs in a node's attributes: bodies of an If, Loop or Scan."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def read_names(body: GraphProto) -> Iterator[str]:
    """Yield every name that a body reads, from inside itself or from around it."""
    for info in body.output:
        yield info.name
    for node in body.node:
        yield from list_reads(node)


def list_reads(node: NodeProto) -> list[str]:
    """Return the names that a node reads, and those that its bodies read."""
    bodies = [name for body in list_bodies(node) for name in read_names(body)]
    return [name for name in (*node.input, *bodies) if name]


def count_bytes(tensor: TensorProto) -> int:
    """Return the size of a tensor's elements; what protobuf can say of one ends at 2 GiB."""
    from onnx import helper

    count: int = math.prod(tensor.dims) * helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    return count


def read_static_shape(kind: TypeProto) -> tuple[int, ...] | None:
    """Return the shape of a tensor type whose dimensions are all fixed; None for any other type."""
    if not kind.HasField("tensor_type") or not kind.tensor_type.HasField("shape"):
        return None
    dims = kind.tensor_type.shape.dim
    if not all(dim.HasField("dim_value") and dim.dim_value >= 0 for dim in dims):
        return None
    return tuple(dim.dim_value for dim in dims)


def read_attributes(node: NodeProto) -> dict[str, Any]:
    """Return a node's attributes as Python values; texts are bytes."""
    from onnx import helper

    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
