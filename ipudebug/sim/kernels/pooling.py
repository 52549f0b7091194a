"""Windows of a feature map reduced to one value each, rows first, then columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.sim.kernels.node import Node
from ipudebug.sim.kernels.windows import Window, pad_input, read_window, view_nchw


def read_pool(inputs: Sequence[np.ndarray], node: Node) -> tuple[np.ndarray, Window]:
    """Return a pool's input as an NCHW view and its window; raises ModelError."""
    (x,) = node.arrays(inputs, 1)
    node.activations([x])
    x = view_nchw(x, node)
    window = read_window(node, node.integers("kernel", 2), x)
    if any(pad >= size for pad, size in zip(window.pads, measure_window(window) * 2, strict=True)):
        raise node.fail(f"a pad is not smaller than the window, which then has no pixel: {window}")
    return x, window


def measure_window(window: Window) -> tuple[int, int]:
    """Return the height and width that a window covers, with the gaps of its dilation."""
    (kh, kw), (dh, dw) = window.kernel, window.dilations
    return (kh - 1) * dh + 1, (kw - 1) * dw + 1


def reduce_windows(x: np.ndarray, window: Window, function: np.ufunc, padding: int, dtype: np.dtype) -> np.ndarray:
    """Return [N, C, OH, OW] in ``dtype``: ``function`` (associative) over every window of NCHW ``x``.

    ``padding`` stands for the pixels outside.
    """
    values = pad_input(x, window.pads, padding, dtype) if any(window.pads) else x.astype(dtype, copy=False)
    for axis, count in zip((2, 3), window.count_outputs(*x.shape[2:]), strict=True):
        values = _reduce_axis(values, axis, count, window, function)
    return values


def _reduce_axis(x: np.ndarray, axis: int, count: int, window: Window, function: np.ufunc) -> np.ndarray:
    """Return ``x`` with ``axis`` reduced to ``count`` windows."""
    kernel, stride, dilation = (pair[axis - 2] for pair in (window.kernel, window.strides, window.dilations))
    result: np.ndarray | None = None
    for tap in range(kernel):
        start = tap * dilation
        index = (slice(None),) * axis + (slice(start, start + (count - 1) * stride + 1, stride),)
        if result is None:
            result = x[index].copy(order="K")
        else:
            function(result, x[index], out=result)
    assert result is not None  # a window has at least one tap
    return result
