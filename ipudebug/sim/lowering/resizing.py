"""Resize and Upsample by whole factors to the nearest pixel: TILE between two RESHAPEs."""

from __future__ import annotations

import numpy as np

from ipudebug.sim.lowering import Family, Role, Rule
from ipudebug.sim.lowering.fixed_graph import FixedGraph
from ipudebug.sim.network import FloatNetwork, FloatNode
from ipudebug.sim.single_node import compute_values

EXACT = 1 << 24
"""Pixels that float32 can count."""


def find_factors(node: FloatNode, network: FloatNetwork) -> tuple[int, int] | None:
    """Return how often each row and column is repeated; None for a node that does anything else.

    Coordinates and roundings come in a dozen combinations: the node itself is asked what it makes of numbered pixels.
    """
    shape, made = network.shape(node.inputs[0]), network.shape(node.outputs[0])
    if len(shape) != 4 or not network.is_activation(node.inputs[0]) or shape[:2] != made[:2]:
        return None
    if node.text("mode", "nearest") != "nearest" or made[2] % shape[2] or made[3] % shape[3]:
        return None
    factors = made[2] // shape[2], made[3] // shape[3]
    rows, columns = shape[2:]
    if rows * columns > EXACT or any(name and network.constant(name) is None for name in node.inputs[1:]):
        return None
    numbers = np.arange(rows * columns, dtype=np.float32).reshape(1, 1, rows, columns)
    found = _run_on(node, network, np.broadcast_to(numbers, shape))
    wanted = numbers.repeat(factors[0], axis=2).repeat(factors[1], axis=3)
    return factors if found is not None and np.array_equal(found, np.broadcast_to(wanted, made)) else None


def _run_on(node: FloatNode, network: FloatNetwork, values: np.ndarray) -> np.ndarray | None:
    """Return what a node makes of ``values`` as its first input, the others being constants."""
    from onnx import NodeProto, numpy_helper

    draft, name = network.draft, f"{node.inputs[0]}#numbers"
    proto = NodeProto()
    proto.CopyFrom(node.proto)
    proto.input[0] = name
    draft.set_weight(numpy_helper.from_array(np.asarray(values, order="C"), name))
    try:
        made = compute_values(proto, draft)
    finally:
        del draft.weights[name], draft.types[name]
    return numpy_helper.to_array(made[0]) if made else None


def classify_resize(node: FloatNode, network: FloatNetwork) -> Role | None:
    """Return COPY for a resize that repeats pixels."""
    return Role.COPY if find_factors(node, network) else None


def lower_resize(node: FloatNode, graph: FixedGraph) -> None:
    """Append RESHAPE, TILE, RESHAPE."""
    n, c, h, w = graph.network.shape(node.inputs[0])
    made = graph.network.shape(node.outputs[0])
    y = node.outputs[0]
    quant = graph.quants[y]
    rows, columns = made[2] // h, made[3] // w
    apart = graph.make_tensor(f"{y}#apart", quant, [n * c, h, 1, w, 1])
    tiled = graph.make_tensor(f"{y}#tiled", quant, [n * c, h, rows, w, columns])
    graph.add_copy("RESHAPE", node, node.inputs[0], [apart], shape=[n * c, h, 1, w, 1])
    graph.add("TILE", node, [apart], [tiled], repeats=[1, 1, rows, 1, columns])
    graph.add("RESHAPE", node, [tiled], [y], shape=list(made))


_RULE = Rule(classify_resize, lower_resize)
FAMILY: Family = {"Resize": _RULE, "Upsample": _RULE}
