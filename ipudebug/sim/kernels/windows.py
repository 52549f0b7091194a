"""Sliding windows: layouts, padding and output sizes that convolution and pooling share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ipudebug.sim.kernels.node import Node


@dataclass(frozen=True, slots=True)
class Window:
    """How a window moves: each pair is (vertical, horizontal), ``pads`` is (top, left, bottom, right)."""

    kernel: tuple[int, int]
    strides: tuple[int, int]
    dilations: tuple[int, int]
    pads: tuple[int, int, int, int]

    def count_outputs(self, height: int, width: int) -> tuple[int, int]:
        """Return the output's height and width; below 1 if the window is larger than the padded input."""
        sizes = (height + self.pads[0] + self.pads[2], width + self.pads[1] + self.pads[3])
        out = [
            (size - (kernel - 1) * dilation - 1) // stride + 1
            for size, kernel, stride, dilation in zip(sizes, self.kernel, self.strides, self.dilations, strict=True)
        ]
        return out[0], out[1]


def read_window(node: Node, kernel: Sequence[int], x: np.ndarray) -> Window:
    """Return the window of a node whose input is ``x``, NCHW; raises ModelError for one that does not fit it."""
    size = (int(kernel[0]), int(kernel[1]))
    window = Window(size, _read_pair(node, "strides"), _read_pair(node, "dilations"), _read_pads(node))
    if min(*window.kernel, *window.strides, *window.dilations) < 1 or min(window.pads) < 0:
        raise node.fail(f"kernel, strides and dilations must be positive, pads not negative: {window}")
    if min(window.count_outputs(*x.shape[2:])) < 1:
        raise node.fail(f"the window is larger than the padded input of shape {list(x.shape)}: {window}")
    return window


def view_nchw(x: np.ndarray, node: Node) -> np.ndarray:
    """Return a view of a 4-D feature map in NCHW order; raises ModelError for another rank."""
    if x.ndim != 4:
        raise node.fail(f"expected an input with 4 dimensions, found shape {list(x.shape)}")
    return x.transpose(0, 3, 1, 2) if node.is_channels_last else x


def restore_layout(y: np.ndarray, node: Node) -> np.ndarray:
    """Return an NCHW array in the node's layout, contiguous."""
    return np.ascontiguousarray(y.transpose(0, 2, 3, 1) if node.is_channels_last else y)


def pad_input(x: np.ndarray, pads: Sequence[int], value: int, dtype: np.dtype | type) -> np.ndarray:
    """Return an NCHW array with a frame of ``value``, contiguous, in ``dtype``."""
    top, left, bottom, right = pads
    n, c, h, w = x.shape
    padded = np.empty((n, c, top + h + bottom, left + w + right), dtype)
    if top or left or bottom or right:
        padded[:, :, :top] = value
        padded[:, :, top + h :] = value
        padded[:, :, top : top + h, :left] = value
        padded[:, :, top : top + h, left + w :] = value
    padded[:, :, top : top + h, left : left + w] = x
    return padded


def _read_pair(node: Node, name: str) -> tuple[int, int]:
    """Return an attribute of two integers, 1 and 1 if it is missing."""
    first, second = node.integers(name, 2, (1, 1))
    return first, second


def _read_pads(node: Node) -> tuple[int, int, int, int]:
    """Return the attribute ``pads``, all 0 if it is missing."""
    top, left, bottom, right = node.integers("pads", 4, (0, 0, 0, 0))
    return top, left, bottom, right
