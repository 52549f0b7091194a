"""The elementwise kernels against Python integers, element by element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ipudebug.errors import ModelError
from ipudebug.sim.kernels import KERNELS
from tests.sim.kernels import integers

RANGES = {"uint8": (0, 255), "int16": (-32768, 32767)}
CASES = 1500
TWO_TENSORS: dict[str, Callable[..., int]] = {"ADD": integers.add, "SUB": integers.sub, "MUL": integers.mul}
WITH_CONSTANT: dict[str, tuple[Callable[..., int], str]] = {
    "ADD_CONSTANT": (integers.add_constant, "int32"),
    "MUL_CONSTANT": (integers.mul_constant, "int16"),
    "PRELU": (integers.prelu, "int16"),
}
ONE_TENSOR: dict[str, Callable[..., int]] = {"RELU": integers.relu, "LEAKY_RELU": integers.leaky_relu}


def draw(rng: np.random.Generator, dtype: str, shape: Any) -> np.ndarray:
    """Random values, or extremes only."""
    info = np.iinfo(dtype)
    if rng.integers(3) == 0:
        return rng.choice([info.min, info.max, 0, 1], shape).astype(dtype)
    if dtype == "int32" and rng.integers(2):
        return rng.integers(-70000, 70000, shape).astype(dtype)
    return rng.integers(info.min, int(info.max) + 1, shape).astype(dtype)


def draw_zero(rng: np.random.Generator, dtype: str) -> int:
    low, high = RANGES[dtype]
    return int(rng.choice([low, high, 0, rng.integers(low, high + 1)]))


def draw_multipliers(rng: np.random.Generator, count: int) -> list[int]:
    return [int(m) for m in rng.choice([-32768, -1, 0, 1, 16384, 32767, *rng.integers(16384, 32768, 12)], count)]


def draw_shift(rng: np.random.Generator) -> int:
    return int(rng.choice([0, 1, rng.integers(-9, 50), rng.integers(10, 24), rng.integers(10, 24), 63, 90]))


def draw_attributes(rng: np.random.Generator, op: str, types: list[str]) -> dict[str, Any]:
    y_type = ["uint8", "int16"][rng.integers(2)]
    low, high = RANGES[y_type]
    steps = int(rng.integers(1, 3)) if op in ONE_TENSOR else 1
    return {
        "zeros": [draw_zero(rng, dtype) for dtype in types],
        "multipliers": draw_multipliers(rng, 2 if op in ("ADD", "SUB") else steps),
        "shift": draw_shift(rng) + (16 if op == "MUL" else 0),
        "shifts": [draw_shift(rng) for _ in range(steps)],
        "negative_multipliers": draw_multipliers(rng, 1),
        "negative_shifts": [draw_shift(rng)],
        "slope_shift": draw_shift(rng),
        "y_zero": draw_zero(rng, y_type),
        "low": int(rng.choice([low, low, 5])),
        "high": int(rng.choice([high, high, 190])),
        "dtype": y_type,
        "layout": [b"NCHW", "NHWC"][rng.integers(2)],
    }


def compute(op: str, arrays: list[np.ndarray], attributes: dict[str, Any]) -> np.ndarray:
    (y,) = KERNELS[op].compute(arrays, attributes)
    assert y.dtype == attributes["dtype"]
    assert y.flags.c_contiguous
    return y


def check(op: str, formula: Callable[..., int], arrays: list[np.ndarray], attributes: dict[str, Any]) -> None:
    """Compare with the formula on the arrays as numpy broadcasts them."""
    low, high = attributes["low"], attributes["high"]
    rows = zip(*(view.ravel().tolist() for view in np.broadcast_arrays(*arrays)), strict=True)
    expected = [integers.clip(formula(*row, attributes), low, high) for row in rows]
    found = compute(op, arrays, attributes)
    assert found.ravel().tolist() == expected, attributes


@pytest.mark.parametrize("op", TWO_TENSORS)
def test_two_tensors(op: str) -> None:
    rng = np.random.default_rng(1)
    for _ in range(CASES):
        types = [str(t) for t in rng.choice(["uint8", "int16"], 2)]
        shape = tuple(int(n) for n in rng.integers(1, 5, rng.integers(0, 5)))
        other = shape if rng.integers(2) else tuple(int(rng.choice([n, 1])) for n in shape)
        arrays = [draw(rng, types[0], shape), draw(rng, types[1], other)]
        check(op, TWO_TENSORS[op], arrays, draw_attributes(rng, op, types))


@pytest.mark.parametrize("op", WITH_CONSTANT)
def test_with_constant(op: str) -> None:
    formula, dtype = WITH_CONSTANT[op]
    rng = np.random.default_rng(2)
    for _ in range(CASES):
        x_type = str(rng.choice(["uint8", "int16"]))
        shape = tuple(int(n) for n in rng.integers(1, 6, rng.integers(1, 5)))
        attributes = draw_attributes(rng, op, [x_type])
        channel = len(shape) - 1 if attributes["layout"] == "NHWC" or len(shape) == 1 else 1
        c = draw(rng, dtype, shape[channel] if rng.integers(2) else 1)
        x = draw(rng, x_type, shape)
        aligned = c.reshape([-1 if axis == channel else 1 for axis in range(len(shape))]) if c.size > 1 else c
        low, high = attributes["low"], attributes["high"]
        rows = zip(x.ravel().tolist(), np.broadcast_to(aligned, shape).ravel().tolist(), strict=True)
        expected = [integers.clip(formula(*row, attributes), low, high) for row in rows]
        assert compute(op, [x, c], attributes).ravel().tolist() == expected, (attributes, shape)


@pytest.mark.parametrize("op", ONE_TENSOR)
def test_one_tensor(op: str) -> None:
    rng = np.random.default_rng(3)
    for _ in range(CASES):
        x_type = str(rng.choice(["uint8", "int16"]))
        check(op, ONE_TENSOR[op], [draw(rng, x_type, 23)], draw_attributes(rng, op, [x_type]))


@pytest.mark.parametrize("op", ["ADD", "SUB", "MUL"])
def test_extremes_of_int16(op: str) -> None:
    """Sums beyond 2^31."""
    values = np.array([-32768, -32767, -1, 0, 1, 32767], np.int16)
    arrays = [values[:, None], values[None, :]]
    attributes = {"zeros": [0, 0], "multipliers": [32767, -32768][: 1 if op == "MUL" else 2], "y_zero": 0}
    for shift in (14, 16, 31, 33):
        check(
            op, TWO_TENSORS[op], arrays, {**attributes, "shift": shift, "dtype": "int16", "low": -9999, "high": 30000}
        )


def test_large_tensors_are_cut_into_slabs_alike() -> None:
    rng = np.random.default_rng(4)
    x = rng.integers(-32768, 32768, (2, 7, 83, 97)).astype(np.int16)
    c = rng.integers(-32768, 32768, 7).astype(np.int16)
    attributes = {"zeros": [0], "shift": 15, "y_zero": 0, "dtype": "int16", "layout": "NCHW"}
    wide = x.astype(np.int64) * c.reshape(7, 1, 1)
    expected = np.clip(np.floor_divide(wide + (1 << 14), 1 << 15), -32768, 32767)
    np.testing.assert_array_equal(compute("MUL_CONSTANT", [x, c], attributes), expected)
    last = np.moveaxis(x, 1, 3)
    found = compute("MUL_CONSTANT", [last, c], {**attributes, "layout": "NHWC"})
    np.testing.assert_array_equal(found, np.moveaxis(expected, 1, 3))


@pytest.mark.parametrize("dtype", ["uint8", "int16"])
def test_maximum(dtype: str) -> None:
    rng = np.random.default_rng(6)
    a, b = draw(rng, dtype, (2, 3, 50)), draw(rng, dtype, (3, 50))
    (y,) = KERNELS["MAXIMUM"].compute([a, b], {})
    assert y.dtype == dtype
    pairs = zip(a.ravel().tolist(), np.broadcast_to(b, a.shape).ravel().tolist(), strict=True)
    assert y.ravel().tolist() == [p if p > q else q for p, q in pairs]


PLAIN: dict[str, Any] = {
    "zeros": [0, 0],
    "multipliers": [1, 1],
    "shift": 1,
    "y_zero": 0,
    "dtype": "uint8",
    "layout": "NCHW",
}
A = np.zeros((1, 4, 2, 2), np.uint8)


@pytest.mark.parametrize(
    ("op", "arrays", "changes", "words"),
    [
        ("ADD", [A, A[:, :3]], {}, r"shapes \[1, 4, 2, 2\] and \[1, 3, 2, 2\] do not fit each other"),
        ("ADD", [A, A[:0]], {}, r"input 1 has no elements: shape \[0, 4, 2, 2\]"),
        ("ADD", [A], {}, "expected 2 inputs, found 1"),
        ("SUB", [A, A.astype(np.float32)], {}, "input 1 is float32"),
        ("ADD", [A, A], {"zeros": [0]}, "attribute zeros has 1 values, expected 2"),
        ("ADD", [A, A], {"zeros": [0, 999]}, "attribute zeros has 999, expected 0..255 of uint8"),
        ("MUL", [A, A], {"multipliers": [40000]}, "expected 16-bit integers"),
        ("MUL", [A, A], {"multipliers": [1], "y_zero": -1}, "attribute y_zero has -1, expected 0..255"),
        ("MUL_CONSTANT", [A, np.zeros(3, np.int16)], {"zeros": [0]}, r"the constant has shape \[1, 3, 1, 1\]"),
        ("MUL_CONSTANT", [A, np.zeros(4, np.int32)], {"zeros": [0]}, "expected an int16 constant, found int32"),
        ("MAXIMUM", [A, A.astype(np.int16)], {}, "expected operands of one dtype"),
        ("MAXIMUM", [A, A[:, :3]], {}, "do not fit each other"),
        (
            "RELU",
            [A],
            {"zeros": [0], "multipliers": [1, 1], "shifts": [1]},
            "attribute shifts has 1 values, expected 2",
        ),
    ],
)
def test_refuses(op: str, arrays: list[np.ndarray], changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ModelError, match=f"^{op}: .*{words}"):
        KERNELS[op].compute(arrays, PLAIN | changes)
