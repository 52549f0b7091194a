"""SOFTMAX and LOGISTIC against decimal arithmetic."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal, localcontext
from typing import Any

import numpy as np
import pytest

from ipudebug.errors import ModelError
from ipudebug.sim.kernels import KERNELS
from tests.sim.kernels.integers import clip

PLAIN: dict[str, Any] = {"axis": 1, "x_scale": 1.0, "y_scale": 1.0, "y_zero": 0, "dtype": "uint8"}


def quantise(value: Decimal, y_scale: float) -> int:
    return int((value / Decimal(y_scale) + Decimal("0.5")).to_integral_value(ROUND_FLOOR))


def compute(op: str, x: np.ndarray, attributes: dict[str, Any]) -> np.ndarray:
    assert KERNELS[op].status == "inexact"
    (y,) = KERNELS[op].compute([x], attributes)
    assert y.dtype == attributes["dtype"]
    assert y.flags.c_contiguous
    return y


def find_power(distance: Decimal) -> int:
    """32767 exp(-distance) on the chord between multiples of 1/32."""
    steps = distance * 32
    first = int(steps)
    left, right = ((Decimal(-i) / 32).exp() for i in (first, first + 1))
    chord = left + (right - left) * (steps - first)
    return int((32767 * chord + Decimal("0.5")).to_integral_value(ROUND_FLOOR))


@pytest.mark.parametrize("dtype", ["uint8", "int16"])
@pytest.mark.parametrize("axis", [1, -1])
def test_softmax(axis: int, dtype: str) -> None:
    rng = np.random.default_rng(0)
    low, high, x_scale = (0, 255, 0.0625) if dtype == "uint8" else (-32768, 32767, 0.000305)
    x = rng.integers(low, high + 1, (2, 5, 4)).astype(dtype)
    x[0, :, 0] = high
    x[0, :, 1] = low
    x[0, 2, 1] = high
    chip = {"dtype": "int16", "y_scale": 1 / 32767 if dtype == "uint8" else 1 / 32768, "y_zero": 0}
    more = chip if axis == 1 else {"dtype": "uint8", "y_scale": 1 / 250, "y_zero": 7}
    y = compute("SOFTMAX", x, {"axis": axis, "x_scale": x_scale, **more})
    with localcontext() as context:
        context.prec = 40
        for row, found in zip(
            np.moveaxis(x, axis, -1).reshape(-1, x.shape[axis]).tolist(),
            np.moveaxis(y, axis, -1).reshape(-1, x.shape[axis]).tolist(),
            strict=True,
        ):
            powers = [find_power(Decimal(x_scale) * (max(row) - value)) for value in row]
            reciprocal = 2**30 // sum(powers)
            expected = [min((power * reciprocal + 2**14) // 2**15, 32767) for power in powers]
            if axis == -1:
                expected = [clip(quantise(Decimal(value) / 2**15, 1 / 250) + 7, 0, 255) for value in expected]
            assert found == expected
            real = [(Decimal(x_scale) * (value - max(row))).exp() for value in row]
            if axis == 1:
                assert all(abs(f - 32768 * r / sum(real)) < 6 for f, r in zip(found, real, strict=True))


def test_softmax_of_one_is_one() -> None:
    assert compute("SOFTMAX", np.array([[5]], np.uint8), {**PLAIN, "dtype": "int16", "y_scale": 1 / 32768}) == 32767


@pytest.mark.parametrize(("dtype", "zero", "x_scale"), [("uint8", 131, 0.1), ("int16", 0, 0.0003), ("int16", 9, 0.5)])
def test_logistic(dtype: str, zero: int, x_scale: float) -> None:
    info = np.iinfo(dtype)
    x = np.linspace(info.min, info.max, 300).round().astype(dtype).reshape(3, 100).T
    attributes = {"x_scale": x_scale, "x_zero": zero, "y_scale": 1 / 255, "y_zero": 0, "dtype": "uint8"}
    y = compute("LOGISTIC", x, attributes)
    with localcontext() as context:
        context.prec = 40
        for value, found in zip(x.ravel().tolist(), y.ravel().tolist(), strict=True):
            power = (-Decimal(x_scale) * (value - zero)).exp()
            assert found == quantise(1 / (1 + power), 1 / 255)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"x_scale": 0.0}, "attribute x_scale is 0.0, expected a positive number"),
        ({"y_scale": float("inf")}, "expected a positive number"),
        ({"y_zero": 300}, "attribute y_zero has 300"),
        ({"axis": 2}, "expected different axes of 2 dimensions"),
    ],
)
def test_refuses(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ModelError, match=words):
        KERNELS["SOFTMAX"].compute([np.zeros((2, 3), np.uint8)], PLAIN | changes)
