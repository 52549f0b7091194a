"""Runs a fixed model: its integer nodes on kernels, what lies between them on onnxruntime.

onnxruntime computes with one thread here, so that the result does not depend on how many there are: the bits of a
fixed model are a promise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ipudebug.errors import ModelError, NodeFailed, UnsupportedOp
from ipudebug.runners.feed_check import check_feed
from ipudebug.runners.session import Engine, SessionFault
from ipudebug.sim.kernels import KERNELS, Kernel
from ipudebug.tensor import Layout, Tensor, TensorInfo

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

    from ipudebug.runners import Feed
    from ipudebug.sim.model import SimModel

DOMAIN = "ipudebug"
_TO_NHWC = (0, 2, 3, 1)


@dataclass(slots=True)
class _KernelStep:
    """One integer node."""

    label: str
    kernel: Kernel
    attributes: Mapping[str, Any]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def compute(self, values: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Return the node's outputs; raises NodeFailed."""
        try:
            return self.kernel.compute([values[name] for name in self.inputs], self.attributes)
        except ModelError as error:
            raise NodeFailed(f"{self.label}: {error.message}", error.hint) from None


@dataclass(slots=True)
class _SessionStep:
    """Consecutive nodes of standard ONNX, run as one onnxruntime session."""

    label: str
    graph: GraphProto
    source: ModelProto
    engine: Engine
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    session: Any = field(default=None)

    def compute(self, values: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Return the nodes' outputs that are read later or shown; raises NodeFailed."""
        feed = {name: values[name] for name in self.inputs}
        try:
            if self.session is None:
                self.session = self.engine.open(self._build(feed))
            arrays: list[np.ndarray] = self.session.run(list(self.outputs), feed)
            return arrays
        except SessionFault as fault:
            raise NodeFailed(f"{self.label}: {fault.words}", "make the model again from the original") from None
        except Exception as error:  # onnxruntime's own errors have no base class but this one
            raise NodeFailed(f"{self.label}: {SessionFault(error, True).words}", "check what is fed") from None

    def _build(self, feed: Mapping[str, np.ndarray]) -> bytes:
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


class FixedRunner:
    """A fixed model that is ready to run, any number of times; see Runner.

    Raises UnsupportedOp for a node of the domain ``ipudebug`` without a kernel, ModelError for one that reads what
    nothing makes.
    """

    def __init__(self, model: SimModel) -> None:
        """Plan the steps; nothing is computed."""
        from onnx import helper, numpy_helper

        self._model = model
        graph = model.graph.graph
        self._constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        self._inputs = tuple(
            TensorInfo(
                value.name,
                tuple(dim.dim_value or -1 for dim in value.type.tensor_type.shape.dim),
                np.dtype(helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)),
                model.tensors[value.name].quant if value.name in model.tensors else None,
                Layout.NCHW if len(value.type.tensor_type.shape.dim) == 4 else None,
            )
            for value in graph.input
            if value.name not in self._constants
        )
        self._outputs = tuple(value.name for value in graph.output)
        self._steps = list(self._plan(graph))
        self._check_names()
        self._last_reader = {name: number for number, step in enumerate(self._steps) for name in step.inputs}

    @property
    def inputs(self) -> tuple[TensorInfo, ...]:
        """The inputs as the graph takes them: NCHW, in the board's format."""
        return self._inputs

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the final outputs."""
        return self._outputs

    def run(self, feed: Feed) -> list[Tensor]:
        """Return the final outputs as the integers that they are, 4-D ones in NHWC; raises InputError, ModelError."""
        found = {}
        for name, array in self._walk(feed, set(self._outputs)):
            found[name] = self._tensor(name, array)
        return [found[name] for name in self._outputs]

    def trace(self, feed: Feed) -> Iterator[Tensor]:
        """Yield all that a dump shows and that is computed, in execution order, as integers; 4-D tensors in NHWC."""
        shown = {name for operation in self._model.operations for name in operation.outputs}
        shown |= set(self._model.converted.values())
        for name, array in self._walk(feed, shown | set(self._outputs)):
            yield self._tensor(name, array)

    def _check_names(self) -> None:
        """Raise ModelError where a step reads, or the model gives, what nothing before it makes."""
        known = {*self._constants, *(info.name for info in self._inputs)}
        readers = [(step.label, step.inputs, step.outputs) for step in self._steps]
        for label, inputs, outputs in (*readers, ("the model's output", self._outputs, ())):
            for name in filter(None, inputs):
                if name not in known:
                    what = f"{self._model.path}: {label}: expected a tensor {name!r}, nothing makes it"
                    raise ModelError(what, "the file is damaged: make it again")
            known.update(outputs)

    def _walk(self, feed: Feed, wanted: set[str]) -> Iterator[tuple[str, np.ndarray]]:
        """Yield (name, array) of the wanted tensors, dropping each value after its last reader."""
        check_feed(self._inputs, feed)
        values = {**self._constants, **feed}
        for name in self._outputs:
            if name in values:  # an input that is passed through
                yield name, values[name]
        for number, step in enumerate(self._steps):
            arrays = step.compute(values)
            for name in set(step.inputs):
                if self._last_reader[name] == number and name not in self._constants:
                    del values[name]
            for name, array in zip(step.outputs, arrays, strict=True):
                if name in self._last_reader:
                    values[name] = array
                if name in wanted:
                    yield name, array

    def _tensor(self, name: str, array: np.ndarray) -> Tensor:
        """Return a value of the graph as a tensor, in NHWC if it is 4-D."""
        if array.ndim == 4:
            array = np.ascontiguousarray(array.transpose(_TO_NHWC))
        known = self._model.tensors.get(name)
        layout = Layout.NHWC if array.ndim == 4 else None
        info = TensorInfo(name, array.shape, array.dtype, known.quant if known else None, layout)
        return Tensor(info, array)

    def _plan(self, graph: GraphProto) -> Iterator[_KernelStep | _SessionStep]:
        """Yield the steps of a graph whose nodes stand in execution order."""
        readers: dict[str, int] = {}
        for number, node in enumerate(graph.node):
            for name in node.input:
                readers[name] = number
        readers |= dict.fromkeys(self._outputs, len(graph.node))
        shown = {name for operation in self._model.operations for name in operation.outputs}
        engine = Engine(False, 1, "")
        start = 0
        while start < len(graph.node):
            node = graph.node[start]
            stop = start + 1
            if node.domain == DOMAIN:
                yield _kernel_step(node)
            else:
                while stop < len(graph.node) and graph.node[stop].domain != DOMAIN:
                    stop += 1
                nodes = graph.node[start:stop]
                kept = [
                    name for part in nodes for name in part.output if readers.get(name, -1) >= stop or name in shown
                ]
                yield self._session_step(nodes, kept, engine)
            start = stop

    def _session_step(self, nodes: Sequence[NodeProto], outputs: Sequence[str], engine: Engine) -> _SessionStep:
        """Return the step for consecutive standard nodes."""
        from onnx import GraphProto, numpy_helper

        made = {name for node in nodes for name in node.output}
        read = list(dict.fromkeys(name for node in nodes for name in node.input if name and name not in made))
        graph = GraphProto(name="step", node=nodes)
        graph.initializer.extend(
            numpy_helper.from_array(self._constants[name], name) for name in read if name in self._constants
        )
        inputs = tuple(name for name in read if name not in self._constants)
        label = f"{nodes[0].name or nodes[0].output[0]} ({nodes[0].op_type})"
        return _SessionStep(label, graph, self._model.graph, engine, inputs, tuple(outputs))


def _kernel_step(node: NodeProto) -> _KernelStep:
    """Return the step for one integer node; raises UnsupportedOp."""
    from onnx import helper

    label = f"{node.name or node.output[0]} ({node.op_type})"
    name = node.op_type.lower()
    if name not in KERNELS:
        known = ", ".join(kernel.upper() for kernel in KERNELS)
        raise UnsupportedOp(f"{label}: no kernel computes {node.op_type}", f"known: {known}")
    attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    return _KernelStep(label, KERNELS[name], attributes, tuple(node.input), tuple(node.output))
