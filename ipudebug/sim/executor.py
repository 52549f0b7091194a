"""Runs a fixed model: chains of integer nodes as onnxruntime sessions, single ones on kernels, real ones in between.

The bits of a fixed model are a promise. What integer nodes compute is exact, whatever the number of threads; nodes on
real numbers have one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ipudebug.errors import ModelError
from ipudebug.runners.feed_check import check_feed
from ipudebug.runners.session import Engine
from ipudebug.sim.chain import Chain
from ipudebug.sim.steps import DOMAIN, KernelNode, Step, label_node, make_session_step, read_kernel_node
from ipudebug.tensor import Layout, Tensor, TensorInfo

if TYPE_CHECKING:
    from ipudebug.runners import Feed
    from ipudebug.sim.model import SimModel

_TO_NHWC = (0, 2, 3, 1)


class FixedRunner:
    """A fixed model that is ready to run, any number of times; see Runner.

    Raises UnsupportedOp for a node of the domain ``ipudebug`` without a kernel, ModelError for one that reads what
    nothing makes.

    Args:
        model: what runs.
        threads: of one operator on integers; None leaves it to onnxruntime. The bits do not depend on it.
    """

    def __init__(self, model: SimModel, *, threads: int | None = None) -> None:
        """Look at the nodes; nothing is computed."""
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
        self._shown = {name for operation in model.operations for name in operation.outputs}
        self._shown |= set(model.converted.values())
        self._nodes = graph.node
        self._kernels: list[KernelNode | None] = [
            read_kernel_node(node, number) if node.domain == DOMAIN else None for number, node in enumerate(graph.node)
        ]
        self._check_names()
        self._last_reader = {name: number for number, node in enumerate(graph.node) for name in node.input}
        self._last_reader |= dict.fromkeys(self._outputs, len(graph.node))
        self._threads = threads or 0
        self._steps: list[Step] = []
        self._shapes: dict[str, tuple[int, ...]] = {}

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
        for name, array in self._walk(feed, self._shown | set(self._outputs)):
            yield self._tensor(name, array)

    def _check_names(self) -> None:
        """Raise ModelError where a step reads, or the model gives, what nothing before it makes."""
        known = {*self._constants, *(info.name for info in self._inputs)}
        readers = [(label_node(node), node.input, node.output) for node in self._nodes]
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
        for step in self._find_steps(values, {name: array.shape for name, array in feed.items()}):
            needed = [name for name in step.outputs if name in wanted or self._last_reader.get(name, -1) >= step.stop]
            arrays = step.compute(values, needed)
            for name in set(step.inputs):
                if self._last_reader[name] < step.stop and name not in self._constants:
                    del values[name]
            for name, array in zip(needed, arrays, strict=True):
                if self._last_reader.get(name, -1) >= step.stop:
                    values[name] = array
                if name in wanted:
                    yield name, array

    def _find_steps(self, values: dict[str, np.ndarray], shapes: dict[str, tuple[int, ...]]) -> Iterator[Step]:
        """Yield the steps for inputs of these shapes, planned while the first one runs; ``values`` are what it made."""
        if self._steps and shapes == self._shapes:
            yield from self._steps
            return
        steps = []
        for step in self._plan(values):
            steps.append(step)
            yield step
        self._steps, self._shapes = steps, shapes

    def _tensor(self, name: str, array: np.ndarray) -> Tensor:
        """Return a value of the graph as a tensor, in NHWC if it is 4-D."""
        if array.ndim == 4:
            array = np.ascontiguousarray(array.transpose(_TO_NHWC))
        known = self._model.tensors.get(name)
        layout = Layout.NHWC if array.ndim == 4 else None
        info = TensorInfo(name, array.shape, array.dtype, known.quant if known else None, layout)
        return Tensor(info, array)

    def _plan(self, values: dict[str, np.ndarray]) -> Iterator[Step]:
        """Yield the steps; ``values`` has what those before made when the next one is asked for."""
        engine = Engine(False, 1, "")
        chain = Chain(self._constants, self._threads)
        start = 0
        while start < len(self._nodes):
            kernel = self._kernels[start]
            if chain.take(self._nodes[start], kernel, values):
                start += 1
                if chain.is_full:
                    yield chain.close(partial(self._is_kept, start), start)
                    chain = Chain(self._constants, self._threads)
                continue
            if chain:
                yield chain.close(partial(self._is_kept, start), start)
                chain = Chain(self._constants, self._threads)
            stop = start + 1
            if kernel is not None:
                yield kernel
            else:
                while stop < len(self._nodes) and self._kernels[stop] is None:
                    stop += 1
                nodes = self._nodes[start:stop]
                kept = [name for node in nodes for name in node.output if self._is_kept(stop, name)]
                yield make_session_step(nodes, self._constants, self._model.graph, engine, kept, stop)
            start = stop
        if chain:
            yield chain.close(partial(self._is_kept, start), start)

    def _is_kept(self, stop: int, name: str) -> bool:
        """Return whether a tensor is shown, or read by node ``stop`` or a later one."""
        return name in self._shown or self._last_reader.get(name, -1) >= stop
