"""A float model -> the same model with smallest and largest values, and samples, as its outputs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ipudebug.sim.lowering.tables import find_axis

if TYPE_CHECKING:
    from onnx import ModelProto

    from ipudebug.sim.planning import Plan

SAMPLE = 1 << 14
"""Elements of a tensor that are looked at in each image."""
AXES_AS_INPUT = 18
"""The first opset whose ReduceMin takes its axes as an input."""


@dataclass(frozen=True, slots=True)
class Tap:
    """Where the outputs are that tell of one tensor.

    Attributes:
        name: of the tensor.
        low, high: its smallest and largest value, of each channel if it is what a convolution makes.
        sample: up to SAMPLE of its elements; "" if none are taken.
        depth: the smallest x - max(x); "" unless a Softmax reads it.
    """

    name: str
    low: str
    high: str
    sample: str = ""
    depth: str = ""


class _Graph:
    """The model that grows, and the names of its new outputs."""

    def __init__(self, plan: Plan) -> None:
        """Take the float model without its own outputs."""
        self.plan = plan
        self.model = plan.network.build_model()
        self.graph: Any = self.model.graph
        del self.graph.output[:]
        self._constants: dict[tuple[int, ...] | int, str] = {}

    def add(self, op: str, inputs: list[str], name: str, **attributes: Any) -> str:
        """Append a node of the same name as its output."""
        from onnx import helper

        self.graph.node.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def add_output(self, op: str, inputs: list[str], name: str, **attributes: Any) -> str:
        """Append a node whose output is one of the model."""
        from onnx import helper

        self.graph.output.append(helper.make_empty_tensor_value_info(name))
        return self.add(op, inputs, name, **attributes)

    def add_integers(self, key: tuple[int, ...] | int, values: np.ndarray) -> str:
        """Return the name of an int64 constant that all who give the same key share."""
        from onnx import numpy_helper

        if key not in self._constants:
            self._constants[key] = f"#integers#{len(self._constants)}"
            self.graph.initializer.append(numpy_helper.from_array(values.astype(np.int64), self._constants[key]))
        return self._constants[key]

    def add_reduction(self, op: str, source: str, axes: tuple[int, ...], name: str, keepdims: int = 0) -> str:
        """Append a ReduceMin or ReduceMax whose result is an output; of all axes if none are given."""
        return self.add_output(op, *self._reduce(source, axes), name, **self._spell_axes(axes), keepdims=keepdims)

    def _reduce(self, source: str, axes: tuple[int, ...]) -> tuple[list[str]]:
        """Return the inputs of a reduction."""
        if axes and self.plan.network.opset >= AXES_AS_INPUT:
            return ([source, self.add_integers(axes, np.array(axes))],)
        return ([source],)

    def _spell_axes(self, axes: tuple[int, ...]) -> dict[str, Any]:
        """Return the attribute that names the axes, where it is one."""
        return {"axes": list(axes)} if axes and self.plan.network.opset < AXES_AS_INPUT else {}

    def add_sample(self, name: str) -> str:
        """Append what takes every n-th element of a tensor, SAMPLE of them at most."""
        size = math.prod(self.plan.network.shape(name))
        flat = self.add("Reshape", [name, self.add_integers((-1,), np.array([-1]))], f"{name}#flat")
        places = np.arange(min(size, SAMPLE)) * size // min(size, SAMPLE)
        return self.add_output("Gather", [flat, self.add_integers(size, places)], f"{name}#sample")

    def add_depth(self, name: str, axis: int) -> str:
        """Append the smallest difference from the maximum along an axis."""
        top = self.add(
            "ReduceMax", *self._reduce(name, (axis,)), f"{name}#top", **self._spell_axes((axis,)), keepdims=1
        )
        below = self.add("Sub", [name, top], f"{name}#below")
        return self.add_reduction("ReduceMin", below, (), f"{name}#depth")


def build_observed(plan: Plan, *, with_samples: bool) -> tuple[ModelProto, list[Tap]]:
    """Return the model to run, and where to find what of each tensor.

    Observed are all activations of the fixed model, and what convolutions make before their activation, by channels:
    along the last axis for products, along axis 1 otherwise.
    """
    network = plan.network
    graph = _Graph(plan)
    axes = {node.outputs[0]: -1 if node.op in ("Gemm", "MatMul") else 1 for node in plan.list_convolutions()}
    depths = {
        node.inputs[0]: axis for node in plan.nodes if node.op == "Softmax" for axis in [find_axis(node, network)]
    }
    taps = []
    for name in dict.fromkeys((*network.list_activations(), *axes)):
        if name in network.inputs and name in plan.images:
            continue
        rank = len(network.shape(name))
        kept = axes[name] % rank if name in axes else None
        reduced = () if kept is None else tuple(axis for axis in range(rank) if axis != kept)
        taps.append(
            Tap(
                name,
                graph.add_reduction("ReduceMin", name, reduced, f"{name}#low"),
                graph.add_reduction("ReduceMax", name, reduced, f"{name}#high"),
                graph.add_sample(name) if with_samples and name in plan.leaders else "",
                graph.add_depth(name, depth) if (depth := depths.get(name)) is not None else "",
            )
        )
    return graph.model, taps
