"""Nodes that observe what convolutions read: the mean at every tap, and products of the pixels in a window.

The mean of a tap is taken over all windows, padding included. A window moves over rows and columns independently, so
two products with constant matrices, one over the rows of the input and one over its columns, give the means of all
taps at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ipudebug.sim.lowering.convolution import read_filter
from ipudebug.sim.lowering.windows import count_windows, resolve_window

if TYPE_CHECKING:
    from ipudebug.sim.network import FloatNode
    from ipudebug.sim.observed_graph import ObservedGraph

WINDOWS = 1024
"""Windows of an image that products are taken of, about: some of the rows and columns of a large one."""
LARGEST_WINDOW = 400
"""Values in a window beyond which their products cost more than they are worth."""


def add_mean(graph: ObservedGraph, node: FloatNode) -> str:
    """Return an output with the mean at each tap of a convolution: [N, C, kh, kw]; [1, .., I] for a product."""
    x, network = node.inputs[0], graph.plan.network
    shape = network.shape(x)
    stored = read_filter(node, network) if node.op in ("Conv", "ConvTranspose") else None
    if stored is None:
        return graph.add_once("ReduceMean", x, tuple(range(len(shape) - 1)))
    kernel = stored[0].shape[2:]
    rows, columns = _share_rows(node, shape, kernel, network.shape(node.outputs[0]))
    if all(
        np.array_equal(matrix, np.full((1, matrix.size), 1 / matrix.size, np.float32)) for matrix in (rows, columns)
    ):
        return graph.add_once("ReduceMean", x, (2, 3))
    down = graph.add("MatMul", [graph.add_array(rows), x], f"{node.outputs[0]}#down")
    return graph.add_output("MatMul", [down, graph.add_array(columns.T)], f"{node.outputs[0]}#taps")


def _share_rows(
    node: FloatNode, shape: Sequence[int], kernel: Sequence[int], made: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return for rows and columns a matrix [kernel, input size]: the share of windows whose tap meets each of them."""
    strides, dilations = node.attributes.get("strides", (1, 1)), node.attributes.get("dilations", (1, 1))
    found = []
    for axis, (size, taps, stride, dilation) in enumerate(zip(shape[2:], kernel, strides, dilations, strict=True)):
        windows = made[2 + axis]
        matrix = np.zeros((taps, size), np.float32)
        tap, step = np.meshgrid(np.arange(taps), np.arange(size if node.op == "ConvTranspose" else windows))
        if node.op == "ConvTranspose":
            target = step * stride + tap * dilation - node.attributes.get("pads", (0, 0, 0, 0))[axis]
            is_met, met = (target >= 0) & (target < windows), step
            tap = taps - 1 - tap  # the filter of the convolution that stands for it is turned round
        else:
            window = resolve_window(node, shape, kernel)
            assert window is not None
            met = step * stride + tap * dilation - window["pads"][axis]
            is_met = (met >= 0) & (met < size)
        np.add.at(matrix, (tap[is_met], met[is_met]), np.float32(1 / windows))
        found.append(matrix)
    return found[0], found[1]


def add_products(graph: ObservedGraph, node: FloatNode) -> str:
    """Return an output with the summed products of the values in a window, a one behind them: [N, n + 1, n + 1].

    "" where there are none to take: only of a convolution that reads pixels, in one group, with windows that are not
    too large. A convolution by the unit matrix lays the windows out.
    """
    x, network = node.inputs[0], graph.plan.network
    if node.op != "Conv" or node.attributes.get("group", 1) != 1 or not graph.plan.holds_pixels(x):
        return ""
    stored = read_filter(node, network)
    assert stored is not None
    size = math.prod(stored[0].shape[1:])
    window = resolve_window(node, network.shape(x), stored[0].shape[2:])
    if window is None or size > LARGEST_WINDOW:
        return ""
    count = math.prod(count_windows(network.shape(x), stored[0].shape[2:], window))
    apart = max(1, math.isqrt(count // WINDOWS))
    unit = np.concatenate([np.eye(size, dtype=np.float32), np.zeros((1, size), np.float32)])
    one = np.zeros(size + 1, np.float32)
    one[-1] = 1
    stem = f"{node.outputs[0]}#windows"
    filters = [graph.add_array(unit.reshape(size + 1, *stored[0].shape[1:])), graph.add_array(one)]
    window["strides"] = [stride * apart for stride in window["strides"]]
    laid = graph.add("Conv", [x, *filters], stem, **window)
    flat = graph.add("Reshape", [laid, graph.add_array(np.array([0, size + 1, -1], np.int64))], f"{stem}#flat")
    turned = graph.add("Transpose", [flat], f"{stem}#turned", perm=[0, 2, 1])
    return graph.add_output("MatMul", [flat, turned], f"{stem}#products")
