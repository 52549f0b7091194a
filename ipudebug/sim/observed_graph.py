"""A float model -> the same model with smallest and largest values, and samples, as its outputs."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ipudebug.sim.compensation.taps import add_mean, add_products
from ipudebug.sim.lowering.activation import find_bounds
from ipudebug.sim.lowering.tables import find_axis

if TYPE_CHECKING:
    from onnx import ModelProto

    from ipudebug.sim.network import FloatNode
    from ipudebug.sim.planning import Plan

SAMPLE = 1 << 14
"""Elements of a tensor that are looked at in each image, about."""
RUN = 16
"""Elements of a sample that stand side by side, if the tensor can be cut so: reading them costs no more than one."""
AXES_AS_INPUT = 18
"""The first opset whose reductions take their axes as an input."""
SAME_VALUES = frozenset({"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Identity"})
"""What leaves every value as it is."""


@dataclass(frozen=True, slots=True)
class Source:
    """A tensor that tells the range of another: the same values, cut to bounds."""

    name: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Tap:
    """Where the outputs are that tell of one tensor.

    Attributes:
        name: of the tensor.
        low, high: its smallest and largest value, of each channel if it is what a convolution makes; "" if ``source``
            tells them.
        sample: some of its elements; "" if none are taken.
        depth: the smallest x - max(x); "" unless a Softmax reads it.
        source: the tensor that tells its range; None if it is reduced itself.
        mean, products: what the convolution that makes it reads; "" where that is not observed.
    """

    name: str
    low: str
    high: str
    sample: str = ""
    depth: str = ""
    source: Source | None = None
    mean: str = ""
    products: str = ""


class ObservedGraph:
    """The model that grows, and the names of its new outputs.

    Attributes:
        plan: of the float model.
        model: what is to be run.
    """

    def __init__(self, plan: Plan) -> None:
        """Take the float model without its own outputs."""
        self.plan = plan
        self.model: ModelProto = plan.network.build_model()
        self._graph: Any = self.model.graph
        del self._graph.output[:]
        self._arrays: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._shared: dict[tuple[str, str, tuple[int, ...]], str] = {}

    def add(self, op: str, inputs: list[str], name: str, **attributes: Any) -> str:
        """Append a node of the same name as its output."""
        from onnx import helper

        self._graph.node.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def add_output(self, op: str, inputs: list[str], name: str, **attributes: Any) -> str:
        """Append a node whose output is one of the model."""
        from onnx import helper

        self._graph.output.append(helper.make_empty_tensor_value_info(name))
        return self.add(op, inputs, name, **attributes)

    def add_array(self, values: np.ndarray) -> str:
        """Return the name of a constant that all who want the same share."""
        from onnx import numpy_helper

        key = values.dtype.char, values.shape, values.tobytes()
        if key not in self._arrays:
            self._arrays[key] = f"#array#{len(self._arrays)}"
            self._graph.initializer.append(numpy_helper.from_array(np.asarray(values, order="C"), self._arrays[key]))
        return self._arrays[key]

    def add_reduction(self, op: str, source: str, axes: tuple[int, ...], name: str, keepdims: int = 0) -> str:
        """Append a reduction whose result is an output; of all axes if none are given."""
        inputs, attributes = self._spell_axes(op, source, axes)
        return self.add_output(op, inputs, name, keepdims=keepdims, **attributes)

    def add_once(self, op: str, source: str, axes: tuple[int, ...]) -> str:
        """Return a reduction of the same rank as its source, that all who want the same share."""
        key = op, source, axes
        if key not in self._shared:
            self._shared[key] = self.add_reduction(op, source, axes, f"{source}#{op}#{len(self._shared)}", keepdims=1)
        return self._shared[key]

    def _spell_axes(self, op: str, source: str, axes: tuple[int, ...]) -> tuple[list[str], dict[str, Any]]:
        """Return inputs and attributes of a reduction."""
        if not axes:
            return [source], {}
        if self.plan.network.opset >= AXES_AS_INPUT:
            return [source, self.add_array(np.array(axes, np.int64))], {}
        return [source], {"axes": list(axes)}

    def add_sample(self, name: str) -> str:
        """Append what takes elements of a tensor, evenly spread runs of them, SAMPLE at most."""
        size = math.prod(self.plan.network.shape(name))
        run = math.gcd(size, RUN)
        runs = size // run
        flat = self.add("Reshape", [name, self.add_array(np.array([-1, run], np.int64))], f"{name}#flat")
        taken = min(runs, SAMPLE // run)
        if taken == runs:
            return self.add_output("Identity", [flat], f"{name}#sample")
        places = np.arange(taken, dtype=np.int64) * runs // taken
        return self.add_output("Gather", [flat, self.add_array(places)], f"{name}#sample")

    def add_depth(self, name: str, axis: int) -> str:
        """Append the smallest difference from the maximum along an axis."""
        inputs, attributes = self._spell_axes("ReduceMax", name, (axis,))
        top = self.add("ReduceMax", inputs, f"{name}#top", keepdims=1, **attributes)
        below = self.add("Sub", [name, top], f"{name}#below")
        return self.add_reduction("ReduceMin", below, (), f"{name}#depth")


def build_observed(plan: Plan, *, sampled: Collection[str], with_moments: bool) -> tuple[ModelProto, list[Tap]]:
    """Return the model to run, and where to find what of each tensor; a source stands before what it tells of.

    Observed are all activations of the fixed model, and what convolutions make before their activation, by channels:
    along the last axis for products, along axis 1 otherwise. ``sampled`` are the tensors that samples are taken of.
    With moments, what convolutions read as well.
    """
    network = plan.network
    graph = ObservedGraph(plan)
    makers = {node.outputs[0]: node for node in network.nodes}
    axes = {node.outputs[0]: -1 if node.op in ("Gemm", "MatMul") else 1 for node in plan.list_convolutions()}
    depths = {
        node.inputs[0]: axis for node in plan.nodes if node.op == "Softmax" for axis in [find_axis(node, network)]
    }
    taps: dict[str, Tap] = {}
    for name in dict.fromkeys((*network.list_activations(), *axes)):
        if name in network.inputs and name in plan.images:
            continue
        source = None if name in axes else _find_source(makers.get(name), plan)
        if source is not None and source.name not in taps:
            source = None
        taps[name] = _tap(name, graph, axes.get(name), source, sampled=name in sampled, depth=depths.get(name))
    if with_moments:
        _add_moments(graph, taps)
    return graph.model, list(taps.values())


def _tap(
    name: str, graph: ObservedGraph, kept: int | None, source: Source | None, *, sampled: bool, depth: int | None
) -> Tap:
    """Return the tap of one tensor; ``kept`` is the axis of its channels if it is what a convolution makes."""
    rank = len(graph.plan.network.shape(name))
    reduced = () if kept is None else tuple(axis for axis in range(rank) if axis != kept % rank)
    low, high = (
        graph.add_reduction(op, name, reduced, f"{name}#{end}") if source is None else ""
        for op, end in (("ReduceMin", "low"), ("ReduceMax", "high"))
    )
    sample = graph.add_sample(name) if sampled else ""
    return Tap(name, low, high, sample, graph.add_depth(name, depth) if depth is not None else "", source)


def _find_source(node: FloatNode | None, plan: Plan) -> Source | None:
    """Return the tensor that tells the range of what a node makes; None where none does."""
    if node is None or not node.inputs:
        return None
    if node.op in SAME_VALUES:
        return Source(node.inputs[0], -math.inf, math.inf)
    bounds = find_bounds(node, plan.network)
    return Source(node.inputs[0], *bounds) if bounds is not None else None


def _add_moments(graph: ObservedGraph, taps: dict[str, Tap]) -> None:
    """Let the taps of convolutions tell what these read."""
    for node in graph.plan.list_convolutions():
        name = node.outputs[0]
        taps[name] = replace(taps[name], mean=add_mean(graph, node), products=add_products(graph, node))
