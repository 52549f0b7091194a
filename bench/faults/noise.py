"""Quantisation noise around a fault: weights and activations of a model rounded to integers, as a calibration would."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import helper, numpy_helper

COPIES = {"MaxPool", "Reshape", "Flatten", "Transpose", "Concat", "Resize", "Identity", "Squeeze", "Unsqueeze", "Slice"}
"""Operators whose output keeps the grid of their input."""
BITS = {"8 bits": (8, 8), "8 and 16 bits": (8, 16)}
"""Width of what convolutions make, last, and of the rest: in 8 bits throughout, and as the chip's levels do it."""


def quantise(model: onnx.ModelProto, ranges: Mapping[str, tuple[float, float]], noise: str) -> onnx.ModelProto:
    """Return a copy of a model whose weights are int8 for each channel and whose activations lie on grids."""
    noisy = onnx.ModelProto()
    noisy.CopyFrom(model)
    graph = noisy.graph
    _round_weights(graph)
    width, conv_width = BITS[noise]
    nodes = []
    for node in graph.node:
        nodes.append(node)
        if node.op_type in COPIES or node.op_type == "Constant":
            continue
        for position, name in enumerate(node.output):
            if name not in ranges:
                continue
            bits = conv_width if node.op_type in ("Conv", "ConvTranspose", "Gemm") else width
            node.output[position] = f"{name}@exact"
            nodes += round_to_grid(graph, f"{name}@exact", name, *ranges[name], bits=bits)
    del graph.node[:]
    graph.node.extend(nodes)
    return noisy


def round_to_grid(
    graph: onnx.GraphProto, source: str, target: str, low: float, high: float, *, bits: int, how: str = "Round"
) -> list[onnx.NodeProto]:
    """Return nodes that round and saturate ``source`` into ``target`` (SPEC 11.1: range includes zero)."""
    low, high = min(low, 0.0), max(high, 0.0)
    levels = (1 << bits) - 1
    scale = np.float32(max(high - low, 1e-8) / levels)
    zero = np.floor(-low / scale + 0.5)
    names = {}
    for key, value in {"scale": scale, "low": -zero, "high": levels - zero}.items():
        names[key] = f"{target}@{key}"
        graph.initializer.append(numpy_helper.from_array(np.array(value, np.float32), names[key]))
    steps = [f"{target}@{number}" for number in range(3)]
    return [
        helper.make_node("Div", [source, names["scale"]], [steps[0]]),
        helper.make_node(how, [steps[0]], [steps[1]]),
        helper.make_node("Clip", [steps[1], names["low"], names["high"]], [steps[2]]),
        helper.make_node("Mul", [steps[2], names["scale"]], [target]),
    ]


def measure_ranges(tensors: Mapping[str, np.ndarray]) -> dict[str, tuple[float, float]]:
    """Return smallest and largest value of every tensor."""
    return {name: (float(array.min()), float(array.max())) for name, array in tensors.items()}


def _round_weights(graph: onnx.GraphProto) -> None:
    """Round the weights of convolutions and matrix products to int8, one scale an output channel."""
    readers = {
        name: node
        for node in graph.node
        if node.op_type in ("Conv", "ConvTranspose", "Gemm", "MatMul")
        for name in list(node.input)[1:2]
    }
    for weight in graph.initializer:
        node = readers.get(weight.name)
        if node is None:
            continue
        array = numpy_helper.to_array(weight)
        axes = tuple(range(1, array.ndim)) if node.op_type == "Conv" else (0, *range(2, array.ndim))
        scale = np.maximum(np.abs(array).max(axis=axes, keepdims=True) / 127, 1e-12)
        weight.CopyFrom(numpy_helper.from_array((np.rint(array / scale) * scale).astype(np.float32), weight.name))
