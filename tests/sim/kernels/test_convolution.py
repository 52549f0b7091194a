"""CONV_2D and DEPTHWISE_CONV_2D against loops over Python integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ipudebug.errors import ModelError
from ipudebug.sim.kernels import KERNELS
from tests.sim.kernels import integers

RANGES = {"uint8": (0, 255), "int16": (-32768, 32767)}
CASES = 250


def run(
    x: np.ndarray, w: np.ndarray, bias: np.ndarray, mult: np.ndarray, depthwise: bool, attributes: dict[str, Any]
) -> np.ndarray:
    """Run the kernel on NHWC data in the layout of the attributes, return NHWC."""
    nchw = attributes["layout"] == "NCHW"
    kernel = KERNELS["DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"]
    assert kernel.status == "exact"
    fed = x.transpose(0, 3, 1, 2) if nchw else x
    fed.flags.writeable = False
    (y,) = kernel.compute([fed, w, bias, mult], attributes)
    assert y.flags.c_contiguous
    assert y.dtype == attributes["dtype"]
    return y.transpose(0, 2, 3, 1) if nchw else y


def make_case(rng: np.random.Generator, depthwise: bool) -> tuple[list[np.ndarray], dict[str, Any]]:
    x_type, w_type = [("uint8", "int8"), ("int16", "int16"), ("int16", "int8"), ("uint8", "int16")][rng.integers(4)]
    channels, outs = int(rng.integers(1, 8)), int(rng.integers(1, 8))
    height, width = (int(size) for size in rng.integers(1, 8, 2))
    kh, kw = (int(size) for size in rng.integers(1, 5, 2))
    dilations = [int(d) for d in rng.integers(1, 3, 2)]
    pads = [int(p) for p in rng.integers(0, 3, 4)]
    pads[2] += max(0, (kh - 1) * dilations[0] + 1 - height - pads[0] - pads[2])
    pads[3] += max(0, (kw - 1) * dilations[1] + 1 - width - pads[1] - pads[3])
    shape = (int(rng.integers(1, 3)), height, width, channels)
    w_shape = (1, kh, kw, channels) if depthwise else (outs, kh, kw, channels)
    limit = 127 if w_type == "int8" else 32767
    kind = rng.integers(3)
    low, high = RANGES[x_type]
    if kind == 0:
        x, w = rng.integers(low, high + 1, shape), rng.integers(-limit, limit + 1, w_shape)
    elif kind == 1:
        x, w = np.full(shape, rng.choice([low, high])), np.full(w_shape, rng.choice([-limit, limit]))
    else:
        x, w = rng.choice([low, 0, high], shape), rng.choice([-limit, 0, 1, limit], w_shape)
    count = channels if depthwise else outs
    y_type = ["uint8", "int16"][rng.integers(2)]
    y_low, y_high = RANGES[y_type]
    size = 16 if x_type == "uint8" and w_type == "int8" else 32
    pre = int(rng.choice([0, 1, int(rng.integers(-4, 31)), int(rng.integers(max(1, size - 12), size))]))
    bias = rng.integers(-8192, 8193, count) if rng.integers(3) else rng.choice([-32768, 32767], count)
    mult = rng.integers(0, 32768, count) if rng.integers(3) else rng.choice([-32768, -1, 0, 32767], count)
    attributes = {
        "strides": [int(s) for s in rng.integers(1, 4, 2)],
        "dilations": dilations,
        "pads": pads,
        "pre": pre,
        "post": int(rng.choice([rng.integers(-8, 41), rng.integers(10, 26), 0])),
        "x_zero": int(rng.integers(low, high + 1)),
        "low": int(rng.choice([y_low, 0, 7])),
        "high": int(rng.choice([y_high, 200])),
        "dtype": y_type,
        "layout": ["NCHW", "NHWC"][rng.integers(2)],
    }
    arrays = [x.astype(x_type), w.astype(w_type), bias.astype(np.int16), mult.astype(np.int16)]
    return arrays, attributes


@pytest.mark.parametrize("depthwise", [False, True], ids=["conv", "depthwise"])
@pytest.mark.parametrize("seed", range(4))
def test_equals_python_integers(seed: int, depthwise: bool) -> None:
    rng = np.random.default_rng([seed, depthwise])
    for _ in range(CASES):
        arrays, attributes = make_case(rng, depthwise)
        x, w, bias, mult = arrays
        expected = integers.convolve(x, w, bias, mult, depthwise, attributes)
        found = run(x, w, bias, mult, depthwise, attributes)
        assert found.tolist() == expected, (attributes, x.shape, w.shape, x.dtype, w.dtype)


def constants(count: int, mult: int = 16384, bias: int = 0) -> list[np.ndarray]:
    return [np.full(count, bias, np.int16), np.full(count, mult, np.int16)]


def attributes_of(**changes: Any) -> dict[str, Any]:
    plain = {
        "strides": [1, 1],
        "dilations": [1, 1],
        "pads": [0, 0, 0, 0],
        "pre": 0,
        "post": 14,
        "x_zero": 0,
        "low": -32768,
        "high": 32767,
        "dtype": "int16",
        "layout": "NHWC",
    }
    return plain | changes


@pytest.mark.parametrize(
    ("x_value", "w_value", "x_type", "w_type"),
    [(255, 127, "uint8", "int8"), (-32768, -32767, "int16", "int16"), (32767, -32767, "int16", "int16")],
)
def test_largest_sums_are_exact(x_value: int, w_value: int, x_type: str, w_type: str) -> None:
    """4999 products of one sign: 1.6e8 at 8 bits, beyond float32; 5.4e12 at 16, beyond int32."""
    channels = 4999
    x = np.full((1, 1, 2, channels), x_value, x_type)
    x[0, 0, 1, 7] -= 1 if x_value > 0 else -1
    w = np.full((3, 1, 1, channels), w_value, w_type)
    w[1, 0, 0, 11] += 1 if w_value < 0 else -1
    w[2, 0, 0, ::2] *= -1
    pre = 18 if w_type == "int8" else 32
    attributes = attributes_of(pre=pre, post=9)
    expected = integers.convolve(x, w, *constants(3, 31000, 17), False, attributes)
    assert run(x, w, *constants(3, 31000, 17), False, attributes).tolist() == expected


@pytest.mark.parametrize(("dtype", "w_type", "pre"), [("uint8", "int8", 13), ("int16", "int16", 32)])
def test_every_bit_of_a_large_sum_counts(dtype: str, w_type: str, pre: int) -> None:
    """Sums that are a tie of the first shift, or one less: any error, in sums that float32 cannot hold, would show."""
    rng = np.random.default_rng(3)
    high, largest, channels, pixels = RANGES[dtype][1], int(np.iinfo(w_type).max), 4999, 60
    x = rng.integers(high * 3 // 4, high + 1, (1, 1, pixels, channels)).astype(dtype)
    w = np.full((1, 1, 1, channels), largest, w_type)
    w[..., 0] = 1
    x[..., :6] = 0
    for pixel in range(pixels):
        row = x[0, 0, pixel]
        rest = ((1 << pre - 1) - pixel % 2 - sum(row.tolist()) * largest) % (1 << pre)
        row[0], rest = rest % largest, rest // largest
        for channel in range(1, 6):
            row[channel] = min(rest, high)
            rest -= min(rest, high)
        assert rest == 0
    attributes = attributes_of(pre=pre, post=0)
    expected = integers.convolve(x, w, *constants(1, 1), False, attributes)
    assert len(np.unique(expected)) > 5
    assert np.abs(expected).max() < 32767
    assert run(x, w, *constants(1, 1), False, attributes).tolist() == expected


@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize("x_type", ["uint8", "int16"])
def test_large_kernels(x_type: str, depthwise: bool) -> None:
    rng = np.random.default_rng(5)
    low, high = RANGES[x_type]
    x = rng.integers(low, high + 1, (1, 9, 11, 3)).astype(x_type)
    w = np.full((1 if depthwise else 2, 27, 29, 3), 127, np.int8)
    attributes = attributes_of(pads=[20, 9, 1, 13], pre=14, x_zero=high, post=17, strides=[2, 3])
    count = 3 if depthwise else 2
    expected = integers.convolve(x, w, *constants(count), depthwise, attributes)
    assert run(x, w, *constants(count), depthwise, attributes).tolist() == expected


def test_many_pixels_are_cut_into_slabs_alike() -> None:
    rng = np.random.default_rng(8)
    x = rng.integers(0, 256, (2, 190, 191, 3)).astype(np.uint8)
    w = rng.integers(-127, 128, (5, 1, 1, 3)).astype(np.int8)
    bias, mult = rng.integers(-99, 99, 5).astype(np.int16), rng.integers(16384, 32768, 5).astype(np.int16)
    attributes = attributes_of(pre=3, post=17)
    sums = np.einsum("nhwc,oc->nhwo", x.astype(np.int64), w[:, 0, 0].astype(np.int64))
    t = np.sign(sums) * ((np.abs(sums) + 4) // 8)
    expected = np.clip(((t + bias) * mult.astype(np.int64) + (1 << 16)) // (1 << 17), -32768, 32767)
    for layout in ("NCHW", "NHWC"):
        np.testing.assert_array_equal(run(x, w, bias, mult, False, attributes | {"layout": layout}), expected)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"x_zero": 256}, "attribute x_zero has 256, expected 0..255 of uint8"),
        ({"dtype": "int32"}, "attribute dtype is 'int32', expected uint8 or int16"),
        ({"dtype": "uint8"}, "the range low..high is -32768..32767, expected within 0..255"),
        ({"pads": [0, 0]}, "attribute pads has 2 values, expected 4"),
        ({"pads": [-1, 0, 0, 0]}, "pads not negative"),
        ({"strides": [0, 1]}, "must be positive"),
        ({"dilations": [3, 1]}, "the window is larger than the padded input"),
        ({"layout": b"NWHC"}, "attribute layout is 'NWHC', expected NCHW or NHWC"),
        ({"pre": 1.5}, "attribute pre is 1.5, expected an integer"),
        ({"post": None}, "attribute post is missing"),
    ],
)
def test_refuses_attributes(changes: dict[str, Any], words: str) -> None:
    arrays = [np.zeros((1, 5, 5, 2), np.uint8), np.zeros((3, 3, 3, 2), np.int8), *constants(3)]
    with pytest.raises(ModelError, match="CONV_2D: .*" + words):
        KERNELS["CONV_2D"].compute(arrays, attributes_of(**changes))


@pytest.mark.parametrize(
    ("index", "array", "words"),
    [
        (0, np.zeros((1, 0, 5, 2), np.uint8), "input 0 has no elements"),
        (0, np.zeros((5, 5, 2), np.uint8), "expected an input with 4 dimensions"),
        (0, np.zeros((1, 5, 5, 2), np.float32), "input 0 is float32, expected uint8 or int16"),
        (1, np.zeros((3, 3, 3, 4), np.int8), r"expected weights of shape \[O, kh, kw, 2\], found \[3, 3, 3, 4\]"),
        (1, np.zeros((3, 3, 3, 2), np.uint8), "expected int8 or int16 weights"),
        (2, np.zeros(2, np.int16), r"expected bias16 as int16 \[3\], found int16 \[2\]"),
        (3, np.zeros(3, np.int32), r"expected mult16 as int16 \[3\], found int32 \[3\]"),
    ],
)
def test_refuses_arrays(index: int, array: np.ndarray, words: str) -> None:
    arrays = [np.zeros((1, 5, 5, 2), np.uint8), np.zeros((3, 3, 3, 2), np.int8), *constants(3)]
    arrays[index] = array
    with pytest.raises(ModelError, match=words):
        KERNELS["CONV_2D"].compute(arrays, attributes_of())


def test_refuses_a_missing_input() -> None:
    with pytest.raises(ModelError, match="expected 4 inputs, found 1"):
        KERNELS["CONV_2D"].compute([np.zeros((1, 5, 5, 2), np.uint8)], attributes_of())


def test_refuses_depthwise_weights_of_another_shape() -> None:
    arrays = [np.zeros((1, 5, 5, 2), np.uint8), np.zeros((2, 3, 3, 1), np.int8), *constants(2)]
    with pytest.raises(ModelError, match=r"DEPTHWISE_CONV_2D: expected weights of shape \[1, kh, kw, 2\]"):
        KERNELS["DEPTHWISE_CONV_2D"].compute(arrays, attributes_of())
