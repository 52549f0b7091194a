"""MAX_POOL_2D, AVERAGE_POOL_2D and MEAN against loops over Python integers."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from ipudebug.errors import ModelError
from ipudebug.sim.kernels import KERNELS
from tests.sim.kernels import integers


def compute(op: str, x: np.ndarray, attributes: dict[str, Any]) -> np.ndarray:
    """NHWC in and out, whatever the layout."""
    nchw = attributes["layout"] == "NCHW"
    (y,) = KERNELS[op].compute([x.transpose(0, 3, 1, 2) if nchw else x], attributes)
    assert y.dtype == x.dtype
    assert y.flags.c_contiguous
    assert y.flags.owndata or y.base is not x
    return y.transpose(0, 2, 3, 1) if nchw else y


def draw(rng: np.random.Generator, shape: Any) -> np.ndarray:
    low, high, dtype = [(0, 255, "uint8"), (-32768, 32767, "int16")][rng.integers(2)]
    if rng.integers(4) == 0:
        return np.full(shape, rng.choice([low, high]), dtype)
    return rng.integers(low, high + 1, shape).astype(dtype)


@pytest.mark.parametrize("op", ["MAX_POOL_2D", "AVERAGE_POOL_2D"])
def test_equals_python_integers(op: str) -> None:
    rng = np.random.default_rng(1)
    for _ in range(500):
        kernel = [int(k) for k in rng.integers(1, 5, 2)]
        pads = [int(rng.integers(0, kernel[i % 2])) for i in range(4)]
        x = draw(rng, (int(rng.integers(1, 3)), *(int(n) for n in rng.integers(5, 9, 2)), int(rng.integers(1, 6))))
        attributes = {
            "kernel": kernel,
            "strides": [int(s) for s in rng.integers(1, 4, 2)],
            "pads": pads,
            "layout": ["NCHW", "NHWC"][rng.integers(2)],
            "count_include_pad": int(rng.integers(2)),
            "x_zero": int(rng.integers(0, 256)),
        }
        expected = integers.pool(x, attributes, op == "MAX_POOL_2D")
        assert compute(op, x, attributes).tolist() == expected, attributes


@pytest.mark.parametrize("op", ["MAX_POOL_2D", "AVERAGE_POOL_2D"])
def test_dilated_and_whole_windows(op: str) -> None:
    rng = np.random.default_rng(2)
    x = rng.integers(-32768, 32768, (1, 9, 11, 3)).astype(np.int16)
    for kernel, dilations in ([3, 2], [2, 4]), ([9, 11], [1, 1]), ([1, 1], [1, 1]):
        attributes = {"kernel": kernel, "dilations": dilations, "strides": [1, 1], "pads": [0] * 4, "layout": "NCHW"}
        assert compute(op, x, attributes).tolist() == integers.pool(x, attributes, op == "MAX_POOL_2D")


def test_average_of_a_large_window_is_exact() -> None:
    """65 536 times the largest int16 exceeds int32."""
    for value in (32767, -32768):
        x = np.full((1, 256, 256, 1), value, np.int16)
        attributes = {"kernel": [256, 256], "strides": [1, 1], "pads": [0] * 4, "layout": "NHWC"}
        assert compute("AVERAGE_POOL_2D", x, attributes).tolist() == [[[[value]]]]


@pytest.mark.parametrize("keepdims", [None, 0, 1])
def test_mean(keepdims: int | None) -> None:
    rng = np.random.default_rng(3)
    for axes in ([1, 2], [-1], [0, 1, 2, 3], [3, 1]):
        x = draw(rng, (2, 3, 4, 5))
        attributes = {"axes": axes} if keepdims is None else {"axes": axes, "keepdims": keepdims}
        (y,) = KERNELS["MEAN"].compute([x], attributes)
        kept = [axis for axis in range(4) if axis not in axes and axis - 4 not in axes]
        groups: dict[tuple[int, ...], list[int]] = {}
        for index in product(*map(range, x.shape)):
            groups.setdefault(tuple(index[axis] for axis in kept), []).append(int(x[index]))
        expected = [sum(group) // len(group) for group in groups.values()]
        assert y.ravel().tolist() == expected
        assert y.dtype == x.dtype
        shape = [x.shape[axis] if axis in kept else 1 for axis in range(4)]
        assert list(y.shape) == ([x.shape[axis] for axis in kept] if keepdims == 0 else shape)


X = np.zeros((1, 4, 4, 2), np.uint8)


@pytest.mark.parametrize(
    ("op", "x", "changes", "words"),
    [
        ("MAX_POOL_2D", X[:, :0], {}, "no elements"),
        ("MAX_POOL_2D", X[0], {}, "4 dimensions"),
        ("MAX_POOL_2D", X.astype(np.int32), {}, "int32, expected uint8 or int16"),
        ("MAX_POOL_2D", X, {"kernel": [5, 2]}, "larger than the padded input"),
        ("AVERAGE_POOL_2D", X, {"pads": [2, 0, 0, 0]}, "a pad is not smaller than the window"),
        ("AVERAGE_POOL_2D", X, {"kernel": [2]}, "attribute kernel has 1 values, expected 2"),
        ("AVERAGE_POOL_2D", X, {"pads": [1, 0, 0, 0], "count_include_pad": 1}, "attribute x_zero is missing"),
        ("AVERAGE_POOL_2D", X[:, :1], {"pads": [1, 0, 1, 0], "dilations": [2, 1]}, "a window has no pixel"),
        ("MEAN", X, {"axes": [4]}, "expected different axes of 4 dimensions"),
        ("MEAN", X, {"axes": [1, -3]}, "expected different axes of 4 dimensions"),
    ],
)
def test_refuses(op: str, x: np.ndarray, changes: dict[str, Any], words: str) -> None:
    plain = {"kernel": [2, 2], "strides": [1, 1], "pads": [0] * 4, "layout": "NHWC"}
    with pytest.raises(ModelError, match=f"^{op}: .*{words}"):
        KERNELS[op].compute([x], plain | changes)
