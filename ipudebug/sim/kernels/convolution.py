"""What CONV_2D and DEPTHWISE_CONV_2D share: what a node says, and its sums and their rescaling in plain numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from ipudebug.sim.kernels.node import Node
from ipudebug.sim.kernels.rounding import shift_half_away, shift_half_up
from ipudebug.sim.kernels.slabs import map_slabs
from ipudebug.sim.kernels.windows import Window, pad_input, read_window, restore_layout, view_nchw

WEIGHTS = (np.dtype(np.int8), np.dtype(np.int16))


@dataclass(frozen=True, slots=True)
class Convolution:
    """A convolution's node: y = clip(hu((ha(sum x w, pre) + bias) multiplier, post)) (SPEC 11.2).

    Attributes:
        x: [N, C, H, W], uint8 or int16.
        weights: [O, C, kh, kw] or, depthwise, [C, 1, kh, kw]; int8 or int16.
        bias, multiplier: int64 [O].
        x_zero: what the padding is made of.
        pre, post: shifts.
        bounds: of the result.
        dtype: of the result.
    """

    x: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    multiplier: np.ndarray
    window: Window
    x_zero: int
    pre: int
    post: int
    bounds: tuple[int, int]
    dtype: np.dtype

    @property
    def groups(self) -> int:
        """1, or C for a depthwise convolution."""
        channels, own = self.x.shape[1], self.weights.shape[1]
        return int(channels // own)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """[N, O, H, W] of the result."""
        return (len(self.x), len(self.weights), *self.window.count_outputs(*self.x.shape[2:]))


def read_convolution(inputs: Sequence[np.ndarray], node: Node, depthwise: bool) -> Convolution:
    """Return what a node says about its inputs; raises ModelError.

    Args:
        inputs: x, weights [O,kh,kw,I] or depthwise [1,kh,kw,C], bias16 [O], mult16 [O].
        node: its attributes.
        depthwise: whether every channel has a kernel of its own.
    """
    x, weights, bias, multiplier = node.arrays(inputs, 4)
    node.activations([x])
    x = view_nchw(x, node)
    kernel = _order_weights(weights, x.shape[1], node, depthwise)
    _check_channels(kernel.shape[0], {"bias16": bias, "mult16": multiplier}, node)
    window = read_window(node, kernel.shape[2:], x)
    return Convolution(
        x,
        kernel,
        bias.astype(np.int64),
        multiplier.astype(np.int64),
        window,
        node.zero_of(x, "x_zero"),
        node.integer("pre"),
        node.integer("post"),
        node.clip_range,
        node.dtype,
    )


def convolve(inputs: Sequence[np.ndarray], node: Node, depthwise: bool) -> list[np.ndarray]:
    """Return a convolution's output as the chip computes it, in the layout of x; raises ModelError."""
    convolution = read_convolution(inputs, node, depthwise)
    bias, multiplier = (column.reshape(1, -1, 1, 1) for column in (convolution.bias, convolution.multiplier))

    def rescale(sums: np.ndarray, bias: np.ndarray, multiplier: np.ndarray) -> np.ndarray:
        values = shift_half_away(sums.astype(np.int64), convolution.pre)
        return shift_half_up((values + bias) * multiplier, convolution.post)

    sums = accumulate(convolution)
    return [restore_layout(map_slabs(rescale, [sums, bias, multiplier], *convolution.bounds, convolution.dtype), node)]


def accumulate(convolution: Convolution) -> np.ndarray:
    """Return sum(x w) over the window and the input channels, [N, O, H, W], exact: float64 has integers up to 2^53."""
    window, weights = convolution.window, convolution.weights.astype(np.float64)
    x = pad_input(convolution.x, window.pads, convolution.x_zero, np.float64)
    images, _, height, width = convolution.shape
    sums = np.zeros(convolution.shape)
    for row, column in product(*map(range, window.kernel)):
        top, left = row * window.dilations[0], column * window.dilations[1]
        bottom, right = top + (height - 1) * window.strides[0] + 1, left + (width - 1) * window.strides[1] + 1
        part = x[:, :, top : bottom : window.strides[0], left : right : window.strides[1]]
        if convolution.groups > 1:
            sums += part * weights[:, 0, row, column, None, None]
        else:
            pixels = part.reshape(images, part.shape[1], -1)
            sums += (weights[:, :, row, column] @ pixels).reshape(sums.shape)
    return sums


def _order_weights(weights: np.ndarray, channels: int, node: Node, depthwise: bool) -> np.ndarray:
    """Return weights as [O, I, kh, kw]; raises ModelError if they do not fit the input's channels."""
    if weights.ndim != 4 or weights.dtype not in WEIGHTS:
        raise node.fail(f"expected int8 or int16 weights of 4 dimensions, found {weights.dtype} {list(weights.shape)}")
    if weights.shape[3] != channels or (depthwise and weights.shape[0] != 1):
        expected = f"[1, kh, kw, {channels}]" if depthwise else f"[O, kh, kw, {channels}]"
        raise node.fail(f"expected weights of shape {expected}, found {list(weights.shape)}")
    ordered: np.ndarray = weights.transpose((3, 0, 1, 2) if depthwise else (0, 3, 1, 2))
    return ordered


def _check_channels(channels: int, constants: dict[str, np.ndarray], node: Node) -> None:
    """Raise ModelError if a constant is no int16 vector with one value per output channel."""
    for name, values in constants.items():
        if values.shape != (channels,) or values.dtype != np.int16:
            raise node.fail(f"expected {name} as int16 [{channels}], found {values.dtype} {list(values.shape)}")
