"""The window of a convolution or pool of ONNX -> the attributes of its kernel."""

from __future__ import annotations

from collections.abc import Sequence

from ipudebug.sim.network import FloatNode


def resolve_window(node: FloatNode, shape: Sequence[int], kernel: Sequence[int]) -> dict[str, list[int]] | None:
    """Return strides, dilations and pads of a window over [N, C, H, W]; None for one that no kernel has.

    ``auto_pad`` becomes pads: top, left, bottom, right.
    """
    strides = list(node.attributes.get("strides", (1, 1)))
    dilations = list(node.attributes.get("dilations", (1, 1)))
    pads = list(node.attributes.get("pads", (0, 0, 0, 0)))
    auto = node.text("auto_pad", "NOTSET")
    if auto == "VALID":
        pads = [0, 0, 0, 0]
    elif auto in ("SAME_UPPER", "SAME_LOWER"):
        begins, ends = [], []
        for size, length, stride, dilation in zip(shape[2:], kernel, strides, dilations, strict=True):
            count = -(-size // stride)
            total = max(0, (count - 1) * stride + (length - 1) * dilation + 1 - size)
            less, more = total // 2, total - total // 2
            begins.append(less if auto == "SAME_UPPER" else more)
            ends.append(more if auto == "SAME_UPPER" else less)
        pads = begins + ends
    elif auto != "NOTSET":
        return None
    if min(pads) < 0:
        return None
    return {"strides": strides, "dilations": dilations, "pads": pads}


def count_windows(shape: Sequence[int], kernel: Sequence[int], window: dict[str, list[int]]) -> list[int]:
    """Return the rows and columns that a window makes of [N, C, H, W], rounded down."""
    pads = window["pads"]
    return [
        (size + pads[axis] + pads[axis + 2] - (length - 1) * dilation - 1) // stride + 1
        for axis, (size, length, stride, dilation) in enumerate(
            zip(shape[2:], kernel, window["strides"], window["dilations"], strict=True)
        )
    ]


def extend_window(
    shape: Sequence[int], kernel: Sequence[int], window: dict[str, list[int]], wanted: Sequence[int]
) -> dict[str, list[int]]:
    """Return the window with its last pads so large that it makes ``wanted`` rows and columns (ONNX's ceil_mode)."""
    pads = list(window["pads"])
    for axis, count in enumerate(wanted):
        reach = (count - 1) * window["strides"][axis] + (kernel[axis] - 1) * window["dilations"][axis] + 1
        pads[axis + 2] = max(pads[axis + 2], reach - shape[axis + 2] - pads[axis])
    return {**window, "pads": pads}
