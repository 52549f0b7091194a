"""Gemm and MatMul with constant weights: a 1x1 CONV_2D between two RESHAPEs."""

from __future__ import annotations

import math

import numpy as np

from ipudebug.sim.lowering import Family, Role, Rule
from ipudebug.sim.lowering.convolution import add_convolution
from ipudebug.sim.lowering.fixed_graph import FixedGraph
from ipudebug.sim.network import FloatNetwork, FloatNode


def read_matrix(node: FloatNode, network: FloatNetwork) -> tuple[np.ndarray, np.ndarray] | None:
    """Return weights [O, I] and bias [O] of a product with a constant on the right; None for any other."""
    weights = network.constant(node.inputs[1])
    if weights is None or weights.ndim != 2 or weights.dtype != np.float32:
        return None
    if not network.is_activation(node.inputs[0]) or len(network.shape(node.inputs[0])) < 2:
        return None
    if node.op == "MatMul":
        return np.ascontiguousarray(weights.T), np.zeros(weights.shape[1], np.float32)
    attributes = node.attributes
    weights = weights if attributes.get("transB") else weights.T
    name = node.inputs[2] if len(node.inputs) > 2 else ""
    bias = network.constant(name) if name else np.zeros(1, np.float32)
    if attributes.get("transA") or bias is None or bias.size not in (1, len(weights)):
        return None
    if bias.size > 1 and bias.shape[-1] != bias.size:
        return None  # one bias for each row
    scaled = np.float32(attributes.get("beta", 1.0)) * bias.reshape(-1).astype(np.float32)
    alpha = np.float32(attributes.get("alpha", 1.0))
    return np.ascontiguousarray(alpha * weights), np.broadcast_to(scaled, len(weights)).copy()


def classify_product(node: FloatNode, network: FloatNetwork) -> Role | None:
    """Return CONVOLUTION for a product with constant weights."""
    return Role.CONVOLUTION if read_matrix(node, network) else None


def lower_product(node: FloatNode, graph: FixedGraph) -> None:
    """Append RESHAPE, CONV_2D, RESHAPE: every row of the left operand is a pixel of its own."""
    stored = read_matrix(node, graph.network)
    assert stored is not None
    weights, bias = stored
    x, y = node.inputs[0], node.output
    shape = graph.network.shape(y)
    rows = math.prod(shape[:-1])
    before = graph.make_tensor(f"{x}#rows", graph.quants[x], [rows, weights.shape[1], 1, 1])
    behind = graph.make_tensor(f"{y}#rows", graph.quants[y], [rows, len(weights), 1, 1])
    graph.add("RESHAPE", node, [x], [before], shape=[rows, weights.shape[1], 1, 1])
    add_convolution(graph, node, before, behind, weights[..., np.newaxis, np.newaxis], bias, {})
    graph.add("RESHAPE", node, [behind], [y], shape=list(shape))


_RULE = Rule(classify_product, lower_product)
FAMILY: Family = {"Gemm": _RULE, "MatMul": _RULE}
