"""What CONV_2D and DEPTHWISE_CONV_2D share: checks, and the way through the image in bands of rows.

A band is small enough for the processor's cache from its padded input to its output.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.sim.kernels.accumulate import prepare_convolution
from ipudebug.sim.kernels.node import Node
from ipudebug.sim.kernels.requantise import Requantiser
from ipudebug.sim.kernels.windows import Window, pad_input, read_window, view_nchw

WEIGHTS = (np.dtype(np.int8), np.dtype(np.int16))
BAND = 1 << 19
"""Elements that a band's input or output has at most, if a single row does not have more."""


def convolve(inputs: Sequence[np.ndarray], node: Node, depthwise: bool) -> list[np.ndarray]:
    """Return a convolution's output as the chip computes it (SPEC 11.2); raises ModelError.

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
    x_zero = node.zero_of(x, "x_zero")
    requantiser = Requantiser.read(node, bias, multiplier)
    groups = x.shape[1] if depthwise else 1
    convolution = prepare_convolution(kernel, x.dtype, window.strides, window.dilations, groups)
    height, width = window.count_outputs(*x.shape[2:])
    shape = (x.shape[0], kernel.shape[0], height, width)
    result = np.empty([shape[axis] for axis in ((0, 2, 3, 1) if node.is_channels_last else (0, 1, 2, 3))], node.dtype)
    target = view_nchw(result, node)

    for image, start, stop in _split_bands(shape, x.shape, window):
        padded = _cut_band(x[image : image + 1], window, start, stop, x_zero)
        made = np.empty((1, shape[1], stop - start, width), result.dtype)
        requantiser.apply(convolution.accumulate(padded, x.dtype), made)
        target[image, :, start:stop] = made[0]
    return [result]


def _split_bands(shape: Sequence[int], x_shape: Sequence[int], window: Window) -> list[tuple[int, int, int]]:
    """Return (image, first output row, end) of every band."""
    images, channels, height, width = shape
    row = max(channels * width, x_shape[1] * x_shape[3] * window.strides[0])
    count = -(-row * height // BAND)
    rows = -(-height // min(count, height))
    return [(i, start, min(start + rows, height)) for i in range(images) for start in range(0, height, rows)]


def _cut_band(x: np.ndarray, window: Window, start: int, stop: int, x_zero: int) -> np.ndarray:
    """Return what the output rows start..stop see of NCHW ``x`` and its padding: float32 for uint8, int32 for int16."""
    dtype = np.float32 if x.dtype.itemsize == 1 else np.int32
    top, left, _, right = window.pads
    stride, extent = window.strides[0], (window.kernel[0] - 1) * window.dilations[0] + 1
    first, last = start * stride - top, (stop - 1) * stride - top + extent
    begin, end = max(first, 0), min(last, x.shape[2])
    if begin >= end:
        return np.full((1, x.shape[1], last - first, left + x.shape[3] + right), x_zero, dtype)
    return pad_input(x[:, :, begin:end], (begin - first, left, last - end, right), x_zero, dtype)


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
