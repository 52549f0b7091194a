"""The copying kernels: every element of the output is followed back to the input by its index."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from ipudebug.errors import ModelError
from ipudebug.sim.kernels import KERNELS

RNG = np.random.default_rng(0)
X = RNG.integers(-32768, 32768, (2, 3, 4, 5)).astype(np.int16)


def compute(op: str, arrays: list[np.ndarray], **attributes: Any) -> list[np.ndarray]:
    outputs = KERNELS[op].compute(arrays, attributes)
    for y in outputs:
        assert y.flags.c_contiguous
        assert y.dtype == arrays[0].dtype
        assert not any(np.shares_memory(y, array) for array in arrays)
    return outputs


def indices(array: np.ndarray) -> Any:
    return product(*map(range, array.shape))


@pytest.mark.parametrize("dtype", ["uint8", "int16"])
@pytest.mark.parametrize("axis", [0, 1, 3, -2])
def test_concatenation(axis: int, dtype: str) -> None:
    shapes = [[3, 1, 2, 4] for _ in range(3)]
    for i, shape in enumerate(shapes):
        shape[axis] = i + 1
    arrays = [RNG.integers(0, 256, shape).astype(dtype) for shape in shapes]
    (y,) = compute("CONCATENATION", arrays, axis=axis)
    origins = [(array, i) for array in arrays for i in range(array.shape[axis])]
    assert y.shape[axis] == 6
    for index in indices(y):
        array, position = origins[index[axis]]
        source = list(index)
        source[axis] = position
        assert y[index] == array[tuple(source)]


@pytest.mark.parametrize("axis", [2, -2])
def test_split_v(axis: int) -> None:
    parts = compute("SPLIT_V", [X], axis=axis, split=[1, 2, 1])
    assert [part.shape[2] for part in parts] == [1, 2, 1]
    for part, offset in zip(parts, (0, 1, 3), strict=True):
        for n, c, h, w in indices(part):
            assert part[n, c, h, w] == X[n, c, h + offset, w]


@pytest.mark.parametrize(
    ("shape", "expected"), [([6, 20], (6, 20)), ([0, -1], (2, 60)), ([-1], (120,)), ([0, 0, 7, -1], None)]
)
def test_reshape(shape: list[int], expected: tuple[int, ...] | None) -> None:
    if expected is None:
        with pytest.raises(ModelError, match=r"shape \[2, 3, 4, 5\] cannot become \[0, 0, 7, -1\]"):
            compute("RESHAPE", [X], shape=shape)
        return
    for x in (X, X.transpose(3, 2, 1, 0).copy().transpose(3, 2, 1, 0)):
        (y,) = compute("RESHAPE", [x], shape=shape)
        assert y.shape == expected
        assert y.ravel().tolist() == [int(X[index]) for index in indices(X)]


def test_tile() -> None:
    (y,) = compute("TILE", [X], repeats=[1, 2, 1, 3])
    assert y.shape == (2, 6, 4, 15)
    for n, c, h, w in indices(y):
        assert y[n, c, h, w] == X[n, c % 3, h, w % 5]


@pytest.mark.parametrize("inner", [[0, 0, 0, 0], [0, 0, 1, 2]])
def test_pad_and_dilation(inner: list[int]) -> None:
    begins, ends = [0, 1, 2, 0], [1, 0, 3, 1]
    attributes = {"pads": begins + ends, "value": -117}
    op = "DILATION" if any(inner) else "PAD"
    (y,) = compute(op, [X], **attributes, **({"inner": inner} if any(inner) else {}))
    assert y.shape == tuple(
        b + (size - 1) * (gap + 1) + 1 + e for b, size, gap, e in zip(begins, X.shape, inner, ends, strict=True)
    )
    seen = 0
    for index in indices(y):
        steps = [divmod(i - b, gap + 1) for i, b, gap in zip(index, begins, inner, strict=True)]
        source = tuple(quotient for quotient, _ in steps)
        is_copy = all(rest == 0 for _, rest in steps) and all(
            0 <= s < size for s, size in zip(source, X.shape, strict=True)
        )
        seen += is_copy
        assert y[index] == (X[source] if is_copy else -117)
    assert seen == X.size


def test_transpose() -> None:
    (y,) = compute("TRANSPOSE", [X], perm=[0, 2, 3, 1])
    assert y.shape == (2, 4, 5, 3)
    for n, h, w, c in indices(y):
        assert y[n, h, w, c] == X[n, c, h, w]
    compute("TRANSPOSE", [X], perm=[0, 1, 2, 3])


@pytest.mark.parametrize(
    ("attributes", "rows"),
    [
        ({"starts": [1], "ends": [4], "axes": [2]}, [1, 2, 3]),
        ({"starts": [-3], "ends": [2**31 - 1], "axes": [-2], "steps": [2]}, [1, 3]),
        ({"starts": [3], "ends": [-(2**31)], "axes": [2], "steps": [-2]}, [3, 1]),
        ({"starts": [2], "ends": [-5], "axes": [2], "steps": [-1]}, [2, 1, 0]),
        ({"starts": [0, 0, 2], "ends": [9, 9, 3]}, [2]),
    ],
)
def test_slice(attributes: dict[str, Any], rows: list[int]) -> None:
    (y,) = compute("SLICE", [X], **attributes)
    assert y.shape == (2, 3, len(rows), 5)
    for n, c, h, w in indices(y):
        assert y[n, c, h, w] == X[n, c, rows[h], w]


@pytest.mark.parametrize(
    ("op", "arrays", "attributes", "words"),
    [
        ("CONCATENATION", [], {"axis": 0}, "expected 1 inputs, found 0"),
        ("CONCATENATION", [X, X[:, :2]], {"axis": 2}, "inputs do not fit each other along axis 2"),
        ("CONCATENATION", [X, X.astype(np.uint8)], {"axis": 2}, "inputs do not fit each other"),
        ("CONCATENATION", [X], {"axis": 4}, "expected different axes of 4 dimensions"),
        ("CONCATENATION", [X], {"axis": [1]}, "expected an integer"),
        ("SPLIT_V", [X], {"axis": 1, "split": [1, 1]}, r"expected parts that add up to 3, found \[1, 1\]"),
        ("SPLIT_V", [X], {"axis": 1, "split": [4, -1]}, "expected parts that add up to 3"),
        ("TILE", [X], {"repeats": [1, 0, 1, 1]}, "expected positive repeats"),
        ("PAD", [X], {"pads": [0] * 7 + [-1], "value": 0}, "expected no negative sizes"),
        ("PAD", [X], {"pads": [0] * 8, "value": 40000}, "attribute value has 40000, expected -32768..32767"),
        ("DILATION", [X], {"pads": [0] * 8, "value": 0, "inner": [0]}, "attribute inner has 1 values, expected 4"),
        ("TRANSPOSE", [X], {"perm": [0, 1, 1, 2]}, "expected an order of the axes 0..3"),
        ("SLICE", [X], {"starts": [2], "ends": [2], "axes": [0]}, "nothing is left"),
        ("SLICE", [X], {"starts": [0], "ends": [2], "axes": [0], "steps": [0]}, "a step other than 0"),
        ("RESHAPE", [X[:, :0]], {"shape": [0]}, "no elements"),
    ],
)
def test_refuses(op: str, arrays: list[np.ndarray], attributes: dict[str, Any], words: str) -> None:
    with pytest.raises(ModelError, match=f"^{op}: .*{words}"):
        KERNELS[op].compute(arrays, attributes)
