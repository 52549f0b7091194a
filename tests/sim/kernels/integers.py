"""The chip's arithmetic once more, in Python integers and plain loops: what the kernels are checked against."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np


def hu(value: int, count: int) -> int:
    """Half up, by floor division instead of shifts."""
    return (2 * value + 2**count) // 2 ** (count + 1) if count > 0 else value * 2**-count


def ha(value: int, count: int) -> int:
    """Half away from zero, by the sign and the absolute value."""
    return (1 if value >= 0 else -1) * hu(abs(value), count)


def clip(value: int, low: int, high: int) -> int:
    return low if value < low else high if value > high else value


def to_nested(array: np.ndarray) -> Any:
    """Python ints."""
    return array.tolist()


def convolve(
    x: np.ndarray, w: np.ndarray, bias: np.ndarray, mult: np.ndarray, depthwise: bool, a: dict[str, Any]
) -> list:
    """NHWC in, NHWC nested lists out; ``w`` in the vendor's order."""
    n, height, width, channels = x.shape
    kh, kw = w.shape[1:3]
    outs = channels if depthwise else w.shape[0]
    (sh, sw), (dh, dw), (top, left, bottom, right) = a["strides"], a["dilations"], a["pads"]
    oh = (height + top + bottom - (kh - 1) * dh - 1) // sh + 1
    ow = (width + left + right - (kw - 1) * dw - 1) // sw + 1
    xs, ws, bs, ms = to_nested(x), to_nested(w), to_nested(bias), to_nested(mult)
    y = [[[[0] * outs for _ in range(ow)] for _ in range(oh)] for _ in range(n)]
    for b, i, j, o in product(range(n), range(oh), range(ow), range(outs)):
        acc = 0
        for u, v in product(range(kh), range(kw)):
            r, c = i * sh - top + u * dh, j * sw - left + v * dw
            inside = 0 <= r < height and 0 <= c < width
            for k in [o] if depthwise else range(channels):
                pixel = xs[b][r][c][k] if inside else a["x_zero"]
                acc += pixel * (ws[0][u][v][k] if depthwise else ws[o][u][v][k])
        t = ha(acc, a["pre"])
        y[b][i][j][o] = clip(hu((t + bs[o]) * ms[o], a["post"]), a["low"], a["high"])
    return y


def add(a: int, b: int, p: dict[str, Any]) -> int:
    (z0, z1), (m0, m1) = p["zeros"], p["multipliers"]
    return hu((a - z0) * m0 + (b - z1) * m1, p["shift"]) + p["y_zero"]


def sub(a: int, b: int, p: dict[str, Any]) -> int:
    (z0, z1), (m0, m1) = p["zeros"], p["multipliers"]
    return hu((a - z0) * m0 - (b - z1) * m1, p["shift"]) + p["y_zero"]


def mul(a: int, b: int, p: dict[str, Any]) -> int:
    z0, z1 = p["zeros"]
    return hu(hu((a - z0) * (b - z1), 16) * p["multipliers"][0], p["shift"] - 16) + p["y_zero"]


def add_constant(a: int, c: int, p: dict[str, Any]) -> int:
    return hu(hu((a - p["zeros"][0]) * p["multipliers"][0], p["shift"] - 1) + c, 1) + p["y_zero"]


def mul_constant(a: int, c: int, p: dict[str, Any]) -> int:
    return hu((a - p["zeros"][0]) * c, p["shift"]) + p["y_zero"]


def relu(a: int, p: dict[str, Any]) -> int:
    return leaky_relu(a, {**p, "negative_multipliers": [0], "negative_shifts": [0]})


def leaky_relu(a: int, p: dict[str, Any]) -> int:
    a -= p["zeros"][0]
    if a < 0:
        t = hu(a * p["negative_multipliers"][0], p["negative_shifts"][0])
    else:
        t = hu(a * p["multipliers"][0], p["shifts"][0])
    if len(p["multipliers"]) == 2:
        t = hu(clip(t, -32768, 32767) * p["multipliers"][1], p["shifts"][1])
    return t + p["y_zero"]


def prelu(a: int, c: int, p: dict[str, Any]) -> int:
    a -= p["zeros"][0]
    t = hu(a * c, p["slope_shift"]) if a < 0 else a
    return hu(t * p["multipliers"][0], p["shifts"][0]) + p["y_zero"]


def pool(x: np.ndarray, p: dict[str, Any], largest: bool) -> list:
    """NHWC in, NHWC nested lists out."""
    n, height, width, channels = x.shape
    (kh, kw), (sh, sw), (dh, dw) = p["kernel"], p["strides"], p.get("dilations", [1, 1])
    top, left, bottom, right = p["pads"]
    oh = (height + top + bottom - (kh - 1) * dh - 1) // sh + 1
    ow = (width + left + right - (kw - 1) * dw - 1) // sw + 1
    xs = x.tolist()
    y = [[[[0] * channels for _ in range(ow)] for _ in range(oh)] for _ in range(n)]
    for b, i, j, k in product(range(n), range(oh), range(ow), range(channels)):
        inside, outside = [], 0
        for u, v in product(range(kh), range(kw)):
            r, c = i * sh - top + u * dh, j * sw - left + v * dw
            if 0 <= r < height and 0 <= c < width:
                inside.append(xs[b][r][c][k])
            else:
                outside += 1
        if largest:
            y[b][i][j][k] = max(inside)
        elif p.get("count_include_pad"):
            y[b][i][j][k] = (sum(inside) + outside * p["x_zero"]) // (kh * kw)
        else:
            y[b][i][j][k] = sum(inside) // len(inside)
    return y
