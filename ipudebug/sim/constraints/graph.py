"""An ONNX graph as the rules look at it: what produces a tensor, what is constant, which shapes are known.

Nothing is computed before a rule asks: most models are checked without shape inference.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

from ipudebug.sim.constraints.node import Node, read_name

if TYPE_CHECKING:
    import numpy as np
    from onnx import GraphProto, ModelProto, TensorProto, ValueInfoProto

Shape = tuple["int | None", ...]
"""Dimensions; None for one that is not known."""

OWN_DOMAIN = "ipudebug"
STANDARD_DOMAINS = ("", "ai.onnx")
SIZED_BY_VALUES = ("Compress", "NonMaxSuppression", "NonZero", "Unique")
"""Operators whose output has as many elements as their input's values say."""
SHAPE_INPUTS = {"ConstantOfShape": (0,), "Expand": (1,), "Range": (0, 1, 2), "Reshape": (1,), "Resize": (2, 3)}
SHAPE_INPUTS |= {"Tile": (1,), "TopK": (1,), "Upsample": (1,)}
"""Operator -> the inputs whose values decide the shape of its output."""
NOT_FOLDED = frozenset(
    ("Bernoulli", "If", "Loop", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike")
)
"""Operators whose result is no constant even where their inputs are."""
WITH_BODIES = ("If", "Loop", "Scan", "SequenceMap")
LARGEST_KEPT = 1024
"""Elements of a constant whose values a rule may ask for; larger ones are weights, which no rule reads."""


class Graph:
    """A model's main graph and the bodies of its control-flow nodes.

    Attributes:
        model: the proto.
        nodes: every node, bodies after the node that has them.
        opset: version of the standard domain; 0 where the model does not import it.
        inputs: name -> value info of what must be fed, initializers excepted.
        outputs: names of the graph's outputs.
        given: names that no node has to produce: inputs, those of bodies too, and initializers.
    """

    def __init__(self, model: ModelProto) -> None:
        """Index the nodes, initializers and producers of ``model``."""
        self.model = model
        self.opset = max((item.version for item in model.opset_import if item.domain in STANDARD_DOMAINS), default=0)
        self.nodes: list[Node] = []
        self._initializers: dict[str, Any] = {}  # name -> TensorProto or SparseTensorProto
        self.given: set[str] = set()
        self._collect(model.graph, "")
        self.inputs: dict[str, ValueInfoProto] = {
            name: info for info in model.graph.input if (name := read_name(info.name)) not in self._initializers
        }
        self.outputs = tuple(read_name(info.name) for info in model.graph.output)
        self._producers = {name: node for node in self.nodes for name in node.outputs if name}

    def is_tensor(self, name: str) -> bool:
        """Return whether the graph has a tensor of that name."""
        return name in self._producers or name in self.inputs or name in self._initializers

    def find_producer(self, name: str) -> Node | None:
        """Return the node that computes a tensor, or None."""
        return self._producers.get(name)

    def find_constant(self, name: str) -> np.ndarray | None:
        """Return the values of a small initializer or Constant node, or None."""
        tensor = self._initializers.get(name)
        node = self._producers.get(name)
        if tensor is None and node is not None and node.op_type == "Constant":
            tensor = node.read_attribute("value")
            for attribute in ("value_int", "value_ints", "value_float", "value_floats"):
                if tensor is None and (value := node.read_attribute(attribute)) is not None:
                    import numpy as np

                    return np.asarray(value)
        if tensor is None or not hasattr(tensor, "data_location") or tensor.data_location == tensor.EXTERNAL:
            return None
        if math.prod(tensor.dims) > LARGEST_KEPT:
            return None
        return _read_tensor(tensor)

    def is_constant(self, name: str) -> bool:
        """Return whether a tensor's values follow from constants and from the shapes of other tensors.

        Such a tensor is a constant once the converter has simplified the graph.
        """
        return name in self._derived[0]

    def is_unsized(self, name: str) -> bool:
        """Return whether a tensor's size follows from the values of others rather than from their shapes."""
        return name in self._derived[1]

    @functools.cached_property
    def _derived(self) -> tuple[set[str], set[str]]:
        """The tensors that are constant and those that are unsized, by one pass in the file's order."""
        constant, unsized = {*self._initializers, ""}, set[str]()
        for node in self.nodes:
            if node.op_type in ("Shape", "Size"):
                known = unsized.isdisjoint(node.inputs)
            else:
                known = constant.issuperset(node.inputs) and node.op_type not in NOT_FOLDED
                sizes = map(node.read_input, SHAPE_INPUTS.get(node.op_type, ()))
                if (
                    node.op_type in SIZED_BY_VALUES
                    or not unsized.isdisjoint(node.inputs)
                    or not constant.issuperset(sizes)
                ):
                    unsized.update(filter(None, node.outputs))
            if known:
                constant.update(node.outputs)
        return constant, unsized

    def find_shape(self, name: str) -> Shape | None:
        """Return a tensor's shape; None where not even its rank is known."""
        tensor = self._initializers.get(name)
        if tensor is not None:
            return tuple(tensor.dims)
        info = self.inputs.get(name) or self._stated.get(name) or self._inferred.get(name)
        return read_shape(info) if info is not None else None

    @functools.cached_property
    def _stated(self) -> dict[str, ValueInfoProto]:
        """What the model itself says about tensors, where that is a shape."""
        graph = self.model.graph
        return {info.name: info for info in (*graph.value_info, *graph.output) if read_shape(info) is not None}

    @functools.cached_property
    def _inferred(self) -> dict[str, ValueInfoProto]:
        """What ONNX infers about tensors; shapes are read off when they are asked for."""
        import onnx

        try:
            model = onnx.shape_inference.infer_shapes(self.model, data_prop=True)
        except (onnx.shape_inference.InferenceError, RuntimeError, ValueError):
            return {}  # the model contradicts itself; what it states about its tensors is all there is
        return {info.name: info for info in (*model.graph.value_info, *model.graph.output)}

    def _collect(self, graph: GraphProto, within: str) -> None:
        """Take up the nodes and initializers of a graph and of the bodies in it."""
        self._initializers.update((read_name(tensor.name), tensor) for tensor in graph.initializer)
        self._initializers.update((read_name(sparse.values.name), sparse) for sparse in graph.sparse_initializer)
        self.given.update(read_name(info.name) for info in graph.input)
        self.given.update(self._initializers)
        for proto in graph.node:
            node = Node(proto, within)
            self.nodes.append(node)
            for attribute in proto.attribute if proto.op_type in WITH_BODIES else ():
                for body in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                    self._collect(body, node.name)


def _read_tensor(tensor: TensorProto) -> np.ndarray | None:
    """Return the values of a tensor proto, or None where its data does not fit its type and shape."""
    from onnx import numpy_helper

    try:
        values: np.ndarray = numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError):
        return None
    return values


def read_shape(info: ValueInfoProto) -> Shape | None:
    """Return the shape that a value info states; None where it states none."""
    if not info.type.tensor_type.HasField("shape"):
        return None
    return tuple(
        dim.dim_value if dim.HasField("dim_value") and dim.dim_value >= 0 else None
        for dim in info.type.tensor_type.shape.dim
    )
