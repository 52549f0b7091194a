"""From a convolution's accumulators to its output: the shift before the bias, the multiplier and the shift after it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.sim.kernels.accumulate import Sums, accumulate
from ipudebug.sim.kernels.node import Node
from ipudebug.sim.kernels.rounding import pick_width, shift_half_away, shift_half_up
from ipudebug.sim.kernels.slabs import split_slabs
from ipudebug.sim.kernels.windows import read_window, restore_layout, view_nchw

WEIGHTS = ("int8", "int16")


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
    sums = accumulate(x, kernel, window, x.shape[1] if depthwise else 1, node.zero_of(x, "x_zero"))
    return [restore_layout(_requantise(sums, bias, multiplier, node), node)]


def _order_weights(weights: np.ndarray, channels: int, node: Node, depthwise: bool) -> np.ndarray:
    """Return weights as [O, I, kh, kw]; raises ModelError if they do not fit the input's channels."""
    if weights.ndim != 4 or weights.dtype.name not in WEIGHTS:
        raise node.fail(f"expected int8 or int16 weights of 4 dimensions, found {weights.dtype} {list(weights.shape)}")
    found, wanted = (weights.shape[0], 1) if depthwise else (weights.shape[3], channels)
    if found != wanted or weights.shape[3] != channels:
        expected = f"[1, kh, kw, {channels}]" if depthwise else f"[O, kh, kw, {channels}]"
        raise node.fail(f"expected weights of shape {expected}, found {list(weights.shape)}")
    return np.ascontiguousarray(weights.transpose((3, 0, 1, 2) if depthwise else (0, 3, 1, 2)))


def _check_channels(channels: int, constants: dict[str, np.ndarray], node: Node) -> None:
    """Raise ModelError if a constant is no int16 vector with one value per output channel."""
    for name, values in constants.items():
        if values.shape != (channels,) or values.dtype != np.int16:
            raise node.fail(f"expected {name} as int16 [{channels}], found {values.dtype} {list(values.shape)}")


def _requantise(sums: Sums, bias: np.ndarray, multiplier: np.ndarray, node: Node) -> np.ndarray:
    """Return clip(hu((ha(acc, pre) + bias16) mult16, post)), NCHW.

    The product is made in int32 where the values of the slab at hand allow it, else in int64.
    """
    pre, post = node.integer("pre"), node.integer("post")
    low, high = node.clip_range
    first = pick_width(1 << 24, pre) if sums.is_narrow else np.int64
    columns = [values.astype(np.int64).reshape(1, -1, 1, 1) for values in (bias, multiplier)]
    narrow = [np.broadcast_to(column.astype(np.int32), sums.shape) for column in columns]
    wide = [np.broadcast_to(column, sums.shape) for column in columns]
    largest_bias, largest_multiplier = (int(np.abs(column).max()) for column in columns)
    result = np.empty(sums.shape, node.dtype)
    for part in split_slabs(sums.shape):
        values = shift_half_away(sums.gather(part, first), pre)
        largest = max(int(values.max()), -int(values.min())) + largest_bias
        width = pick_width(largest * largest_multiplier, post)
        offset, factor = (column[part] for column in (narrow if width is np.int32 else wide))
        values = values.astype(width, copy=False) + offset
        values *= factor
        result[part] = np.clip(shift_half_up(values, post), low, high)
    return result
