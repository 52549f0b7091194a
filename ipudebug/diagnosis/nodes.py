"""A model -> its nodes, each of which can be computed by itself, float or integer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ipudebug.errors import ModelError, NodeFailed, UnsupportedOp
from ipudebug.runners.session import SessionFault
from ipudebug.sim.kernels import KERNELS
from ipudebug.sim.single_node import open_session
from ipudebug.sim.steps import DOMAIN
from ipudebug.tensor import Layout, TensorInfo

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, ValueInfoProto

Values = dict[str, np.ndarray]


@dataclass
class NodeStep:
    """One node with what it reads and makes; the session that computes it is opened when it is first needed."""

    node: NodeProto
    model: ModelProto
    reads: tuple[str, ...]
    makes: tuple[str, ...]
    constants: Mapping[str, np.ndarray]
    _session: Any = field(default=None, repr=False)

    @property
    def label(self) -> str:
        """The node in messages."""
        return f"{self.node.name or self.node.output[0]} ({self.node.op_type})"

    def compute(self, values: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Return the outputs, given the inputs that are no constants; raises NodeFailed, UnsupportedOp."""
        if self.node.domain == DOMAIN:
            return self._compute_kernel(values)
        feed = {name: values[name] for name in self.reads}
        try:
            if self._session is None:
                self._session = open_session(self._build(feed))
            arrays: list[np.ndarray] = self._session.run(list(self.makes), feed)
            return arrays
        except Exception as error:  # onnxruntime's own errors have no base class but this one
            words = SessionFault(error, True).words
            raise NodeFailed(f"{self.label} by itself: {words}", "check that the model made these dumps") from None

    def _compute_kernel(self, values: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Return the outputs of an integer node."""
        from onnx import helper

        name = self.node.op_type.lower()
        if name not in KERNELS:
            raise UnsupportedOp(f"{self.label}: no kernel computes it", "leave --fixed-model out")
        attributes = {item.name: helper.get_attribute_value(item) for item in self.node.attribute}
        inputs = [self.constants[key] if key in self.constants else values[key] for key in self.node.input]
        return KERNELS[name].compute(inputs, attributes)

    def _build(self, feed: Mapping[str, np.ndarray]) -> bytes:
        """Return the node as a model of its own."""
        from onnx import ModelProto, helper, numpy_helper

        single = ModelProto(ir_version=self.model.ir_version)
        single.opset_import.extend(entry for entry in self.model.opset_import if entry.domain != DOMAIN)
        single.functions.extend(self.model.functions)
        single.graph.name = "node"
        single.graph.node.append(self.node)
        single.graph.initializer.extend(
            numpy_helper.from_array(array, name) for name, array in self.constants.items() if name
        )
        for name, array in feed.items():
            element = helper.np_dtype_to_tensor_dtype(array.dtype)
            single.graph.input.append(helper.make_tensor_value_info(name, element, list(array.shape)))
        single.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in self.makes)
        data: bytes = single.SerializeToString()
        return data


class NodeGraph:
    """The nodes of a model in execution order.

    Attributes:
        steps: the nodes, without those that make constants.
        input_infos: the model's inputs, weights left out; a dimension that is not fixed is -1.
        inputs, outputs: names of its inputs and final outputs.
    """

    def __init__(self, model: ModelProto) -> None:
        """Take the model apart; nothing is computed but its constants."""
        from onnx import numpy_helper

        graph = model.graph
        constants = {weight.name: numpy_helper.to_array(weight) for weight in graph.initializer}
        self.input_infos = tuple(_describe_input(value) for value in graph.input if value.name not in constants)
        self.inputs = tuple(info.name for info in self.input_infos)
        self.outputs = tuple(value.name for value in graph.output)
        self.steps: list[NodeStep] = []
        for node in graph.node:
            wanted = list(dict.fromkeys(name for name in (*node.input, *_read_inside(node)) if name))
            own = {name: constants[name] for name in wanted if name in constants}
            reads = tuple(name for name in wanted if name not in constants)
            makes = tuple(name for name in node.output if name)
            step = NodeStep(node, model, reads, makes, own)
            if reads or any(name in self.outputs for name in makes):
                self.steps.append(step)
            else:
                constants.update(zip(makes, step.compute({}), strict=True))

    @property
    def sources(self) -> dict[str, tuple[str, ...]]:
        """What each tensor is computed from, constants left out."""
        return {name: step.reads for step in self.steps for name in step.makes}

    def run_from(self, start: int, values: Mapping[str, np.ndarray]) -> Values:
        """Return the final outputs, computing step ``start`` and all behind it from ``values``."""
        live = dict(values)
        for step in self.steps[start:]:
            live.update(zip(step.makes, step.compute(live), strict=True))
        return {name: live[name] for name in self.outputs}


def _describe_input(value: ValueInfoProto) -> TensorInfo:
    """Return the facts of an input."""
    from onnx import helper

    kind = value.type.tensor_type
    shape = tuple(dim.dim_value or -1 for dim in kind.shape.dim)
    dtype = np.dtype(helper.tensor_dtype_to_np_dtype(kind.elem_type))
    return TensorInfo(value.name, shape, dtype, layout=Layout.NCHW if len(shape) == 4 else None, role="in")


def _read_inside(node: NodeProto) -> Sequence[str]:
    """Return the names that a node's subgraphs read from outside."""
    names: list[str] = []
    for attribute in node.attribute:
        for graph in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
            made = {value.name for value in graph.input} | {weight.name for weight in graph.initializer}
            for inner in graph.node:
                names += [name for name in (*inner.input, *_read_inside(inner)) if name and name not in made]
                made.update(inner.output)
    return names


def load_graph(path: str) -> NodeGraph:
    """Return the nodes of an ONNX model or of a float model, whoever made it.

    Raises ModelError for a file that is neither, or that does not hold together.
    """
    import onnx

    from ipudebug.sim.container import Kind, recognise_model
    from ipudebug.sim.loading import load_sim
    from ipudebug.sim.model import Stage

    found = recognise_model(path)
    if found.stage in (Stage.FLOAT, Stage.CMODEL_FLOAT):
        return NodeGraph(load_sim(path).graph)
    if found.kind is Kind.ONNX:
        try:
            return NodeGraph(onnx.load(path))
        except (ValueError, OSError) as reason:  # protobuf's errors, and missing external data
            raise ModelError(f"{path}: {reason}", "export the model again") from None
    raise ModelError(
        f"--float-model {path}: expected an ONNX or a float model, found {found.what}",
        "give the model that made the benchmark's dump",
    )
