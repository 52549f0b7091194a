"""Conv and ConvTranspose: CONV_2D or DEPTHWISE_CONV_2D, with what makes one of the other before and behind it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ipudebug.sim.convolution_parameters import derive_convolution
from ipudebug.sim.lowering import Family, Role, Rule
from ipudebug.sim.lowering.activation import find_bounds
from ipudebug.sim.lowering.fixed_graph import FixedGraph
from ipudebug.sim.lowering.windows import resolve_window
from ipudebug.sim.network import FloatNetwork, FloatNode
from ipudebug.sim.quantisation import INT8, INT16, measure_weights
from ipudebug.tensor import QuantParams

LARGEST_GROUPS = 64
"""Convolutions that a grouped one is taken apart into; beyond it is computed on real numbers."""


def read_filter(node: FloatNode, network: FloatNetwork) -> tuple[np.ndarray, np.ndarray] | None:
    """Return weights as [O, I / groups, kh, kw] and bias [O] of a node; None unless both are constants of a 2-D one."""
    weights = network.constant(node.inputs[1])
    bias_name = node.inputs[2] if len(node.inputs) > 2 else ""
    bias = network.constant(bias_name) if bias_name else np.zeros(1, np.float32)
    if weights is None or bias is None or weights.ndim != 4 or not network.is_activation(node.inputs[0]):
        return None
    if node.op == "ConvTranspose":
        groups = node.attributes.get("group", 1)
        parts = weights.reshape(groups, -1, *weights.shape[1:])[..., ::-1, ::-1]
        weights = parts.swapaxes(1, 2).reshape(-1, parts.shape[1], *weights.shape[2:])
    return np.ascontiguousarray(weights), np.broadcast_to(bias.reshape(-1), len(weights)).astype(np.float32)


def classify_convolution(node: FloatNode, network: FloatNetwork) -> Role | None:
    """Return CONVOLUTION or DEPTHWISE; None for what is no 2-D convolution with constant weights."""
    stored = read_filter(node, network)
    if stored is None:
        return None
    weights, groups = stored[0], node.attributes.get("group", 1)
    if node.op == "ConvTranspose":
        if find_spread(node, weights) is None:
            return None
    elif resolve_window(node, network.shape(node.inputs[0]), weights.shape[2:]) is None:
        return None
    if groups > 1 and weights.shape[1] == 1:
        return Role.DEPTHWISE
    return Role.CONVOLUTION if groups <= LARGEST_GROUPS else None


def find_spread(node: FloatNode, weights: np.ndarray) -> tuple[list[int], list[int]] | None:
    """Return pads and inner of the DILATION that makes a convolution of a transposed one; None if there is none."""
    attributes = node.attributes
    if "output_shape" in attributes or node.text("auto_pad", "NOTSET") != "NOTSET":
        return None
    strides, dilations = attributes.get("strides", (1, 1)), attributes.get("dilations", (1, 1))
    pads, extra = attributes.get("pads", (0, 0, 0, 0)), attributes.get("output_padding", (0, 0))
    reach = [(size - 1) * dilation for size, dilation in zip(weights.shape[2:], dilations, strict=True)]
    begins = [reach[axis] - pads[axis] for axis in range(2)]
    ends = [reach[axis] - pads[axis + 2] + extra[axis] for axis in range(2)]
    if min(*begins, *ends) < 0:
        return None
    return [0, 0, *begins, 0, 0, *ends], [0, 0, *(stride - 1 for stride in strides)]


def lower_convolution(node: FloatNode, graph: FixedGraph) -> None:
    """Append the nodes of a Conv or ConvTranspose."""
    stored = read_filter(node, graph.network)
    assert stored is not None
    weights, bias = stored
    x, y = node.inputs[0], node.output
    if node.op == "ConvTranspose":
        spread = find_spread(node, weights)
        assert spread is not None
        shape = [
            (size - 1) * (inner + 1) + 1 + begin + end
            for size, inner, begin, end in zip(graph.shape(x), spread[1], spread[0][:4], spread[0][4:], strict=True)
        ]
        made = graph.make_tensor(f"{y}#spread", graph.quants[x], shape)
        value = graph.quants[x].zero
        graph.add("DILATION", node, [x], [made], pads=spread[0], inner=spread[1], value=value)
        x, window = made, {"dilations": list(node.attributes.get("dilations", (1, 1)))}
    else:
        found = resolve_window(node, graph.network.shape(x), weights.shape[2:])
        assert found is not None
        window = found
    groups = node.attributes.get("group", 1)
    if groups == 1:
        add_convolution(graph, node, x, y, weights, bias, window)
    elif weights.shape[1] == 1:
        x = _repeat_channels(graph, node, x, groups, len(weights) // groups)
        add_convolution(graph, node, x, y, weights, bias, window, depthwise=True)
    else:
        _add_groups(graph, node, x, y, weights, bias, window, groups)


def _repeat_channels(graph: FixedGraph, node: FloatNode, x: str, channels: int, times: int) -> str:
    """Return a tensor in which each channel of ``x`` stands ``times`` times in a row."""
    if times == 1:
        return x
    n, _, h, w = graph.shape(x)
    shapes = {
        "apart": [n, channels, 1, h * w],
        "tiled": [n, channels, times, h * w],
        "repeated": [n, channels * times, h, w],
    }
    quant = graph.quants[x]
    names = [graph.make_tensor(f"{node.output}#{part}", quant, shape) for part, shape in shapes.items()]
    graph.add("RESHAPE", node, [x], names[:1], shape=shapes["apart"])
    graph.add("TILE", node, names[:1], names[1:2], repeats=[1, 1, times, 1])
    graph.add("RESHAPE", node, names[1:2], names[2:], shape=shapes["repeated"])
    return names[2]


def _add_groups(
    graph: FixedGraph, node: FloatNode, x: str, y: str, weights: np.ndarray, bias: np.ndarray,
    window: dict[str, list[int]], groups: int,
) -> None:  # fmt: skip
    """Append a grouped convolution: the channels split, a convolution for each part, the results joined."""
    read, made = ([n, c // groups, h, w] for n, c, h, w in (graph.shape(x), graph.shape(y)))
    inputs = [graph.make_tensor(f"{y}#in{part}", graph.quants[x], read) for part in range(groups)]
    outputs = [graph.make_tensor(f"{y}#out{part}", graph.quants[y], made) for part in range(groups)]
    graph.add("SPLIT_V", node, [x], inputs, axis=1, split=[weights.shape[1]] * groups)
    size = len(weights) // groups
    for part, (source, target) in enumerate(zip(inputs, outputs, strict=True)):
        rows = slice(part * size, (part + 1) * size)
        add_convolution(graph, node, source, target, weights[rows], bias[rows], window, rows=rows, part=f"#{part}")
    graph.add("CONCATENATION", node, outputs, [y], axis=1)


def add_convolution(
    graph: FixedGraph, node: FloatNode, x: str, y: str, weights: np.ndarray, bias: np.ndarray,
    window: dict[str, list[int]], *, depthwise: bool = False, rows: slice = slice(None), part: str = "",
) -> None:  # fmt: skip
    """Append one convolution with everything that it needs derived.

    Args:
        graph: where to.
        node: what it is made of; its own output, before the activation, is what the channel ranges are of.
        x: input.
        y: output.
        weights: float32 [O, I, kh, kw]; depthwise [C, 1, kh, kw].
        bias: float32 [O].
        window: strides, dilations and pads.
        depthwise: whether each channel has a kernel of its own.
        rows: which of the node's output channels these are.
        part: behind the names of its constants.
    """
    source, made = graph.quants[x], graph.quants[y]
    ordered = weights.transpose(0, 2, 3, 1)
    name, parameters = graph.name_constant(node.inputs[1]), graph.parameters
    low, high = parameters.channels[node.outputs[0]]
    stated = parameters.weights.get(name + part)
    if stated is None or len(stated[0]) != len(ordered):
        stated = None
    read = parameters.read.get(node.outputs[0])
    groups = node.attributes.get("group", 1)
    derived = derive_convolution(
        ordered,
        bias,
        source,
        made,
        INT16 if source.dtype == INT16 else INT8,
        weight_range=stated or measure_weights(ordered, parameters.per_channel),
        channel_range=(low[rows], high[rows]),
        expected=read.expect(weights.shape, groups, len(low), rows) if read is not None else None,
        balanced=read is not None and stated is None and parameters.per_channel,
    )
    values, axis = derived.weights.values, 0
    if depthwise:
        values, axis = values.transpose(3, 1, 2, 0), 3
    scales = tuple(float(scale) for scale in derived.weights.scales)
    stored = graph.add_constant(name + part, values, QuantParams(scales, (0,) * len(scales), axis))
    graph.weight_ranges[stored] = derived.weights.low, derived.weights.high
    bias_name = node.inputs[2] if len(node.inputs) > 2 else ""
    bias_name = graph.name_constant(bias_name) if bias_name else f"{node.label}_bias"
    constants = [
        stored,
        graph.add_constant(bias_name + part, derived.bias),
        graph.add_constant(f"{bias_name}{part}#multiplier", derived.multiplier),
    ]
    attributes: dict[str, Any] = {"dtype": made.dtype.name, "layout": "NCHW", "x_zero": source.zero, **window}
    attributes |= {"pre": derived.pre, "post": derived.post, **_describe_activation(node, graph, y)}
    graph.add("DEPTHWISE_CONV_2D" if depthwise else "CONV_2D", node, [x, *constants], [y], **attributes)


def _describe_activation(node: FloatNode, graph: FixedGraph, y: str) -> dict[str, int]:
    """Return what a fused activation clips the output to."""
    if node.activation is None:
        return {}
    quant = graph.quants[y]
    bounds = find_bounds(node.activation, graph.network)
    assert bounds is not None
    low, high = quant.limits
    high = high if bounds[1] == float("inf") else min(high, int(quant.quantise(bounds[1])))
    return {"low": max(low, quant.zero), "high": max(high, quant.zero)}


_RULE = Rule(classify_convolution, lower_convolution)
FAMILY: Family = {"Conv": _RULE, "ConvTranspose": _RULE}
