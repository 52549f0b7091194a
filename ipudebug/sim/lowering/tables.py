"""Softmax and Sigmoid: what the chip looks up in tables."""

from __future__ import annotations

import math

from ipudebug.sim.lowering import Family, Role, Rule
from ipudebug.sim.lowering.fixed_graph import FixedGraph, describe_output
from ipudebug.sim.network import FloatNetwork, FloatNode

ONE_AXIS = 13
"""The first opset whose Softmax sums over one axis only; before, over that axis and all behind it."""


def find_axis(node: FloatNode, network: FloatNetwork) -> int | None:
    """Return the axis of a Softmax; None where it sums over several."""
    shape = network.shape(node.inputs[0])
    if not network.is_activation(node.inputs[0]) or not shape:
        return None
    axis = int(node.attributes.get("axis", -1 if network.opset >= ONE_AXIS else 1)) % len(shape)
    return axis if network.opset >= ONE_AXIS or math.prod(shape[axis + 1 :]) == 1 else None


def classify_softmax(node: FloatNode, network: FloatNetwork) -> Role | None:
    """Return OTHER for a Softmax over one axis."""
    return None if find_axis(node, network) is None else Role.OTHER


def lower_softmax(node: FloatNode, graph: FixedGraph) -> None:
    """Append SOFTMAX."""
    x, y = graph.quants[node.inputs[0]], graph.quants[node.outputs[0]]
    graph.add(
        "SOFTMAX", node, node.inputs[:1], node.outputs[:1], axis=find_axis(node, graph.network),
        x_scale=float(x.scale), y_scale=float(y.scale), **describe_output(y),
    )  # fmt: skip


def classify_sigmoid(node: FloatNode, network: FloatNetwork) -> Role | None:
    """Return OTHER for a Sigmoid."""
    return Role.OTHER if network.is_activation(node.inputs[0]) else None


def lower_sigmoid(node: FloatNode, graph: FixedGraph) -> None:
    """Append LOGISTIC."""
    x, y = graph.quants[node.inputs[0]], graph.quants[node.outputs[0]]
    graph.add(
        "LOGISTIC", node, node.inputs[:1], node.outputs[:1], x_zero=x.zero, x_scale=float(x.scale),
        y_scale=float(y.scale), **describe_output(y),
    )  # fmt: skip


FAMILY: Family = {"Softmax": Rule(classify_softmax, lower_softmax), "Sigmoid": Rule(classify_sigmoid, lower_sigmoid)}
