"""What a fixed model is run as: chains of formulas, single kernels, and sessions for what lies between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ipudebug.errors import ModelError, NodeFailed, UnsupportedOp
from ipudebug.runners.session import SILENT, Engine, SessionFault, limit_spinning
from ipudebug.sim.kernels import KERNELS, Kernel
from ipudebug.sim.kernels.formula import IR_VERSION, OPSET

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

DOMAIN = "ipudebug"
CHAIN_SPIN = 200
"""Microseconds: some nodes of a chain have one thread only, and who waits for it awake costs as much as who works.

With 50 the vendor's face detector takes two to five per cent longer.
"""
Values = Mapping[str, np.ndarray]


class Step(Protocol):
    """Some consecutive nodes.

    Attributes:
        stop: number of the first node behind it.
        inputs, outputs: names; constants may be among the inputs.
    """

    stop: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def compute(self, values: Values, names: Sequence[str]) -> list[np.ndarray]:
        """Return the outputs of these names; raises NodeFailed."""
        ...


@dataclass(slots=True)
class KernelNode:
    """One integer node."""

    label: str
    kernel: Kernel
    attributes: Mapping[str, Any]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    stop: int

    def compute(self, values: Values, names: Sequence[str]) -> list[np.ndarray]:
        """Return the outputs of these names; raises NodeFailed."""
        try:
            arrays = self.kernel.compute([values[name] for name in self.inputs], self.attributes)
        except ModelError as error:
            raise NodeFailed(f"{self.label}: {error.message}", error.hint) from None
        made = dict(zip(self.outputs, arrays, strict=True))
        return [made[name] for name in names]


@dataclass(slots=True)
class ChainStep:
    """Nodes that express themselves, run as one onnxruntime session; exact with any number of threads."""

    label: str
    model: bytes
    threads: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    stop: int
    session: Any = field(default=None)

    def compute(self, values: Values, names: Sequence[str]) -> list[np.ndarray]:
        """Return the outputs of these names; raises NodeFailed."""
        feed = {name: values[name] for name in self.inputs}
        try:
            if self.session is None:
                self.session = _open_chain(self.model, self.threads)
                self.model = b""
            arrays: list[np.ndarray] = self.session.run(list(names), feed)
            return arrays
        except Exception as error:  # onnxruntime's own errors have no base class but this one
            raise NodeFailed(
                f"{self.label} and what follows: {SessionFault(error, True).words}", "free some memory"
            ) from None


@dataclass(slots=True)
class SessionStep:
    """Consecutive nodes of standard ONNX, run as one onnxruntime session with one thread.

    Real numbers are rounded, in an order that depends on the number of threads.
    """

    label: str
    graph: GraphProto
    source: ModelProto
    engine: Engine
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    stop: int
    session: Any = field(default=None)

    def compute(self, values: Values, names: Sequence[str]) -> list[np.ndarray]:
        """Return the outputs of these names; raises NodeFailed."""
        feed = {name: values[name] for name in self.inputs}
        try:
            if self.session is None:
                self.session = self.engine.open(self._build(feed))
            arrays: list[np.ndarray] = self.session.run(list(names), feed)
            return arrays
        except SessionFault as fault:
            raise NodeFailed(f"{self.label}: {fault.words}", "make the model again from the original") from None
        except Exception as error:  # onnxruntime's own errors have no base class but this one
            raise NodeFailed(f"{self.label}: {SessionFault(error, True).words}", "check what is fed") from None

    def _build(self, feed: Values) -> bytes:
        """Return the step as a model; the types of its inputs are those of what is fed first."""
        from onnx import ModelProto, helper

        model = ModelProto(ir_version=self.source.ir_version)
        model.opset_import.extend(entry for entry in self.source.opset_import if entry.domain != DOMAIN)
        model.graph.CopyFrom(self.graph)
        for name, array in feed.items():
            element = helper.np_dtype_to_tensor_dtype(array.dtype)
            model.graph.input.append(helper.make_tensor_value_info(name, element, [None] * array.ndim))
        model.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in self.outputs)
        data: bytes = model.SerializeToString()
        return data


def label_node(node: NodeProto) -> str:
    """Return a node in messages."""
    return f"{node.name or node.output[0]} ({node.op_type})"


def read_kernel_node(node: NodeProto, number: int) -> KernelNode:
    """Return an integer node; raises UnsupportedOp."""
    from onnx import helper

    label, name = label_node(node), node.op_type.lower()
    if name not in KERNELS:
        known = ", ".join(kernel.upper() for kernel in KERNELS)
        raise UnsupportedOp(f"{label}: no kernel computes {node.op_type}", f"known: {known}")
    attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    return KernelNode(label, KERNELS[name], attributes, tuple(node.input), tuple(node.output), number + 1)


def make_session_step(
    nodes: Sequence[NodeProto],
    constants: Values,
    source: ModelProto,
    engine: Engine,
    outputs: Sequence[str],
    stop: int,
) -> SessionStep:
    """Return the step for consecutive standard nodes, of which ``outputs`` are read later or shown."""
    from onnx import GraphProto, numpy_helper

    made = {name for node in nodes for name in node.output}
    read = list(dict.fromkeys(name for node in nodes for name in node.input if name and name not in made))
    graph = GraphProto(name="step", node=nodes)
    graph.initializer.extend(numpy_helper.from_array(constants[name], name) for name in read if name in constants)
    inputs = tuple(name for name in read if name not in constants)
    return SessionStep(label_node(nodes[0]), graph, source, engine, inputs, tuple(outputs), stop)


def encode_chain(
    nodes: Sequence[NodeProto], constants: Values, inputs: Values, outputs: Mapping[str, np.ndarray]
) -> bytes:
    """Return a model of standard ONNX; of inputs and outputs only shape and dtype count."""
    from onnx import helper, numpy_helper

    def describe(values: Values) -> list[Any]:
        return [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
            for name, array in values.items()
        ]

    weights = [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "chain", describe(inputs), describe(outputs), weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    data: bytes = model.SerializeToString()
    return data


def _open_chain(model: bytes, threads: int) -> Any:
    """Return a session that computes a chain node by node as it stands; raises what onnxruntime raises."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = SILENT
    options.intra_op_num_threads = threads
    # The proofs are about these nodes, not about what onnxruntime might make of QuantizeLinear and its neighbours.
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    limit_spinning(options, CHAIN_SPIN)
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.enable_mem_pattern = False
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
