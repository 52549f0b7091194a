"""Relu, LeakyRelu, PRelu and Clip."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ipudebug.sim.kernels.multiplier import normalise
from ipudebug.sim.lowering import Family, Role, Rule
from ipudebug.sim.lowering.fixed_graph import FixedGraph, describe_output
from ipudebug.sim.network import FloatNetwork, FloatNode
from ipudebug.sim.quantisation import INT16, TensorQuant


def find_bounds(node: FloatNode, network: FloatNetwork) -> tuple[float, float] | None:
    """Return what a Relu or Clip cuts its input to; None where that is not constant, or of another node."""
    if node.op == "Relu":
        return 0.0, math.inf
    if node.op != "Clip":
        return None
    bounds = [node.attributes.get("min", -math.inf), node.attributes.get("max", math.inf)]
    for place, name in enumerate(node.inputs[1:3]):
        if name:
            value = network.constant(name)
            if value is None or value.size != 1:
                return None
            bounds[place] = float(value.reshape(-1)[0])
    return (bounds[0], bounds[1]) if bounds[0] <= bounds[1] else None


def is_fusable(node: FloatNode, network: FloatNetwork) -> bool:
    """Return whether a node can be the activation of the convolution that feeds it: Relu, Clip(0, ...)."""
    bounds = find_bounds(node, network)
    return bounds is not None and bounds[0] == 0


def classify_clip(node: FloatNode, network: FloatNetwork) -> Role | None:
    """Return OTHER for a Relu, or a Clip with constant bounds."""
    return Role.OTHER if network.is_activation(node.inputs[0]) and find_bounds(node, network) else None


def lower_clip(node: FloatNode, graph: FixedGraph) -> None:
    """Append RELU where the lower bound is 0, else a multiplication by one that is clipped."""
    bounds = find_bounds(node, graph.network)
    assert bounds is not None
    y = graph.quants[node.outputs[0]]
    least, most = y.limits
    low = max(least, int(y.quantise(bounds[0]))) if bounds[0] > -math.inf else least
    high = min(most, int(y.quantise(bounds[1]))) if bounds[1] < math.inf else most
    limits = {"low": low, "high": max(low, high)}
    if bounds[0] == 0:
        _add_relu("RELU", node, graph, **limits)
    else:
        graph.add_rescaling(node, node.inputs[0], node.outputs[0], limits=limits)


def classify_leaky(node: FloatNode, network: FloatNetwork) -> Role | None:
    """Return OTHER for a LeakyRelu."""
    return Role.OTHER if network.is_activation(node.inputs[0]) else None


def lower_leaky(node: FloatNode, graph: FixedGraph) -> None:
    """Append LEAKY_RELU."""
    x, y = graph.quants[node.inputs[0]], graph.quants[node.outputs[0]]
    alpha = np.float32(node.attributes.get("alpha", 0.01))
    multiplier, shift = normalise([alpha * x.scale / _find_step(y)])
    _add_relu("LEAKY_RELU", node, graph, negative_multipliers=[int(multiplier[0])], negative_shifts=[shift])


def _find_step(y: TensorQuant) -> np.float32:
    """Return the scale that the first step of a rectifier makes: the output's, or for UINT8 that of 16 bits."""
    return y.scale if y.dtype == INT16 else np.float32(np.float32(y.range.largest) / np.float32(32767))


def _add_relu(kernel: str, node: FloatNode, graph: FixedGraph, **attributes: Any) -> None:
    """Append a rectifier in one step, or two for UINT8 (SPEC 11.4)."""
    x, y = graph.quants[node.inputs[0]], graph.quants[node.outputs[0]]
    step = _find_step(y)
    ratios = [x.scale / step] if y.dtype == INT16 else [x.scale / step, step / y.scale]
    pairs = [normalise([ratio]) for ratio in ratios]
    graph.add(
        kernel, node, node.inputs[:1], node.outputs[:1], zeros=[x.zero],
        multipliers=[int(values[0]) for values, _ in pairs], shifts=[shift for _, shift in pairs],
        **describe_output(y), **attributes,
    )  # fmt: skip


def classify_prelu(node: FloatNode, network: FloatNetwork) -> Role | None:
    """Return OTHER for a PRelu with constant slopes."""
    slopes = network.constant(node.inputs[1])
    fits = slopes is not None and slopes.ndim <= len(network.shape(node.inputs[0]))
    return Role.OTHER if fits and network.is_activation(node.inputs[0]) else None


def lower_prelu(node: FloatNode, graph: FixedGraph) -> None:
    """Append PRELU."""
    x, y = graph.quants[node.inputs[0]], graph.quants[node.outputs[0]]
    slopes = graph.network.constant(node.inputs[1])
    assert slopes is not None
    rank = len(graph.network.shape(node.inputs[0]))
    stored, slope_shift = normalise(slopes.reshape([1] * (rank - slopes.ndim) + list(slopes.shape)))
    multipliers, shift = normalise([x.scale / y.scale])
    name = graph.add_constant(graph.name_constant(node.inputs[1]), stored.astype(np.int16))
    graph.add(
        "PRELU", node, [node.inputs[0], name], node.outputs[:1], zeros=[x.zero], slope_shift=slope_shift,
        multipliers=multipliers.tolist(), shifts=[shift], layout="NCHW", **describe_output(y),
    )  # fmt: skip


FAMILY: Family = {
    "Relu": Rule(classify_clip, lower_clip),
    "Clip": Rule(classify_clip, lower_clip),
    "LeakyRelu": Rule(classify_leaky, lower_leaky),
    "PRelu": Rule(classify_prelu, lower_prelu),
}
