"""Pools, global ones included, and averages over axes."""

from __future__ import annotations

from typing import Any

from ipudebug.sim.lowering import Family, Role, Rule
from ipudebug.sim.lowering.fixed_graph import FixedGraph
from ipudebug.sim.lowering.windows import count_windows, extend_window, resolve_window
from ipudebug.sim.network import FloatNetwork, FloatNode


def find_pool(node: FloatNode, network: FloatNetwork) -> dict[str, Any] | None:
    """Return kernel, strides, dilations and pads of a 2-D pool; None where no kernel computes it."""
    shape = network.shape(node.inputs[0])
    if len(shape) != 4 or not network.is_activation(node.inputs[0]) or len(list(filter(None, node.outputs))) > 1:
        return None
    if node.op.startswith("Global"):
        return {"kernel": list(shape[2:])}
    kernel = node.attributes["kernel_shape"]
    window = resolve_window(node, shape, kernel)
    if window is None:
        return None
    wanted = network.shape(node.outputs[0])[2:]
    if count_windows(shape, kernel, window) != list(wanted):
        if node.op == "AveragePool" and node.attributes.get("count_include_pad"):
            return None  # what ceil_mode adds is no padding, and not counted
        window = extend_window(shape, kernel, window, wanted)
    sizes = [(length - 1) * dilation + 1 for length, dilation in zip(kernel, window["dilations"], strict=True)]
    if any(pad >= size for pad, size in zip(window["pads"], sizes * 2, strict=True)):
        return None
    return {"kernel": list(kernel), **window}


def classify_pool(node: FloatNode, network: FloatNetwork) -> Role | None:
    """Return COPY for a 2-D pool."""
    return Role.COPY if find_pool(node, network) else None


def lower_pool(node: FloatNode, graph: FixedGraph) -> None:
    """Append MAX_POOL_2D or AVERAGE_POOL_2D."""
    attributes = find_pool(node, graph.network)
    assert attributes is not None
    quant = graph.quants[node.outputs[0]]
    if node.op == "AveragePool" and node.attributes.get("count_include_pad"):
        attributes |= {"count_include_pad": 1, "x_zero": quant.zero}
    kernel = "MAX_POOL_2D" if node.op.endswith("MaxPool") else "AVERAGE_POOL_2D"
    graph.add_copy(kernel, node, node.inputs[0], node.outputs[:1], layout="NCHW", **attributes)


def find_axes(node: FloatNode, network: FloatNetwork) -> list[int] | None:
    """Return the axes that a ReduceMean averages over; None where they are computed, or there is nothing to average."""
    if not network.is_activation(node.inputs[0]):
        return None
    rank = len(network.shape(node.inputs[0]))
    axes = node.attributes.get("axes")
    if axes is None and len(node.inputs) > 1 and node.inputs[1]:
        values = network.constant(node.inputs[1])
        if values is None:
            return None
        axes = values.tolist()
    if not axes:
        axes = [] if node.attributes.get("noop_with_empty_axes") else list(range(rank))
    return [axis % rank for axis in axes] or None


def classify_mean(node: FloatNode, network: FloatNetwork) -> Role | None:
    """Return COPY for a ReduceMean over fixed axes."""
    return Role.COPY if find_axes(node, network) else None


def lower_mean(node: FloatNode, graph: FixedGraph) -> None:
    """Append MEAN."""
    axes, keepdims = find_axes(node, graph.network), node.attributes.get("keepdims", 1)
    graph.add_copy("MEAN", node, node.inputs[0], node.outputs[:1], axes=axes, keepdims=keepdims)


_POOL = Rule(classify_pool, lower_pool)
FAMILY: Family = {
    **dict.fromkeys(("MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool"), _POOL),
    "ReduceMean": Rule(classify_mean, lower_mean),
}
