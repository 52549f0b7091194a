"""Float operators one by one, in NHWC, against NumPy written down from their definitions."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest

from bench.data.vendor_sim import Tensor
from ipudebug.errors import UnsupportedOp
from ipudebug.sim.vendor import read_vendor
from ipudebug.sim.vendor.floats import list_translations
from tests.sim.vendor.networks import Options, constant, run_float, run_one, write_network

RANDOM = np.random.default_rng(7)
X = RANDOM.normal(size=(1, 5, 7, 3)).astype(np.float32)
ROWS = RANDOM.normal(size=(4, 6)).astype(np.float32)
F32 = np.float32


def ints(*values: int) -> Tensor:
    return constant("integers", np.array(values, np.int32))


def convolve(x: np.ndarray, w: np.ndarray, strides: tuple, dilations: tuple, pads: tuple) -> np.ndarray:
    """Return a convolution by its definition; w [O,kh,kw,I], pads top, left, bottom, right."""
    top, left, bottom, right = pads
    x = np.pad(x.astype(np.float64), [(0, 0), (top, bottom), (left, right), (0, 0)])
    out, kh, kw, _ = w.shape
    height = (x.shape[1] - (kh - 1) * dilations[0] - 1) // strides[0] + 1
    width = (x.shape[2] - (kw - 1) * dilations[1] - 1) // strides[1] + 1
    y = np.zeros((x.shape[0], height, width, out))
    for i, j in itertools.product(range(height), range(width)):
        rows = i * strides[0] + dilations[0] * np.arange(kh)
        columns = j * strides[1] + dilations[1] * np.arange(kw)
        y[:, i, j] = np.einsum("nhwc,ohwc->no", x[:, rows][:, :, columns], w.astype(np.float64))
    return y


@pytest.mark.parametrize(
    ("strides", "dilations", "pads", "activation"),
    [
        ((1, 1), (1, 1), (0, 0, 0, 0), 0),
        ((2, 1), (1, 1), (1, 0, 2, 1), 1),
        ((1, 2), (2, 1), (0, 2, 1, 0), 3),
        ((1, 1), (1, 2), (2, 1, 0, 3), 2),
    ],
)
def test_convolution(strides: tuple, dilations: tuple, pads: tuple, activation: int, tmp_path: Path) -> None:
    w = RANDOM.normal(size=(5, 3, 2, 3)).astype(F32)
    bias = np.stack([RANDOM.normal(size=5), np.ones(5)]).astype(F32)
    expected = convolve(X, w, strides, dilations, pads) + bias[0]
    low, high = {0: (-np.inf, np.inf), 1: (0, np.inf), 2: (-1, 1), 3: (0, 6)}[activation]
    top, left, bottom, right = pads
    options: Options = {
        0: ("i8", 2),
        1: ("i32", strides[1]),
        2: ("i32", strides[0]),
        3: ("i8", activation),
        4: ("i32", dilations[1]),
        5: ("i32", dilations[0]),
        **dict(zip(range(6, 10), (("i32", pad) for pad in (left, right, top, bottom)), strict=True)),
    }
    found = run_one(tmp_path, 3, X, [constant("w", w), constant("b", bias)], expected.shape, options)
    np.testing.assert_allclose(found, np.clip(expected, low, high), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("multiplier", [1, 2])
def test_depthwise_convolution(multiplier: int, tmp_path: Path) -> None:
    w = RANDOM.normal(size=(1, 3, 3, 3 * multiplier)).astype(F32)
    bias = np.stack([RANDOM.normal(size=3 * multiplier), np.ones(3 * multiplier)]).astype(F32)
    parts = []
    for channel in range(3 * multiplier):
        one = w[..., channel : channel + 1]
        source = channel // multiplier
        parts.append(convolve(X[..., source : source + 1], one, (2, 2), (1, 1), (1, 0, 0, 1)))
    expected = np.concatenate(parts, axis=3) + bias[0]
    pads = {7: ("i32", 0), 8: ("i32", 1), 9: ("i32", 1), 10: ("i32", 0)}
    options: Options = {0: ("i8", 2), 1: ("i32", 2), 2: ("i32", 2), 3: ("i32", multiplier), **pads}
    found = run_one(tmp_path, 4, X, [constant("w", w), constant("b", bias)], expected.shape, options)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_a_factor_in_the_bias_scales_the_whole_sum(tmp_path: Path) -> None:
    w = RANDOM.normal(size=(4, 1, 1, 3)).astype(F32)
    bias = RANDOM.normal(size=(2, 4)).astype(F32)
    found = run_one(tmp_path, 3, X, [constant("w", w), constant("b", bias)], (1, 5, 7, 4), {0: ("i8", 1)})
    np.testing.assert_allclose(found, (X @ w[:, 0, 0].T + bias[0]) * bias[1], rtol=1e-4, atol=1e-5)


def test_a_dilation_and_a_convolution_are_a_transposed_convolution(tmp_path: Path) -> None:
    pads = [[0, 0], [1, 2], [2, 0], [0, 0]]
    extra = [constant("outer", np.array(pads, np.int32)), constant("inner", np.array([0, 1, 2, 0], np.int32))]
    expected = np.zeros((1, 9, 19, 3), F32)
    expected[:, ::2, ::3] = X
    expected = np.pad(expected, pads)
    found = run_one(tmp_path, "Dilation", X, extra, expected.shape, None)
    np.testing.assert_array_equal(found, expected)


def test_transposed_convolution(tmp_path: Path) -> None:
    w = RANDOM.normal(size=(2, 3, 3, 3)).astype(F32)
    full = np.zeros((1, 11, 15, 2))
    for i, j in itertools.product(range(5), range(7)):
        full[0, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3] += np.einsum("c,ohwc->hwo", X[0, i, j], w)
    size = ints(1, 11, 15, 2)
    tensors = [size, constant("w", w), Tensor("x", X.shape, flag=1)]
    stride = {0: ("i8", 1), 1: ("i32", 2), 2: ("i32", 2)}
    path = write_network(tmp_path, 67, tensors, [Tensor("y", full.shape, flag=2)], stride)
    np.testing.assert_allclose(run_float(path, X)[0], full, rtol=1e-5, atol=1e-5)
    tensors[0] = ints(1, 10, 14, 2)  # SAME: the odd pad is behind
    path = write_network(tmp_path, 67, tensors, [Tensor("y", (1, 10, 14, 2), flag=2)], {**stride, 0: ("i8", 0)})
    np.testing.assert_allclose(run_float(path, X)[0], full[:, :10, :14], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("code", "function"), [(1, np.mean), (17, np.max)])
def test_pools(code: int, function: object, tmp_path: Path) -> None:
    options: Options = {0: ("i8", 1), 1: ("i32", 2), 2: ("i32", 1), 3: ("i32", 3), 4: ("i32", 2)}
    expected = np.empty((1, 4, 3, 3))
    for i, j in itertools.product(range(4), range(3)):
        expected[:, i, j] = function(X[:, i : i + 2, 2 * j : 2 * j + 3], axis=(1, 2))  # type: ignore[operator]
    np.testing.assert_allclose(run_one(tmp_path, code, X, [], expected.shape, options), expected, rtol=1e-5, atol=1e-6)


POSITIVE = np.abs(X) + F32(0.1)
UNARY = {
    14: lambda x: 1 / (1 + np.exp(-x)),
    19: lambda x: np.maximum(x, 0),
    20: lambda x: np.clip(x, -1, 1),
    21: lambda x: np.clip(x, 0, 6),
    28: np.tanh,
    47: np.exp,
    59: np.negative,
    66: np.sin,
    73: np.log,
    75: np.sqrt,
    76: lambda x: 1 / np.sqrt(x),
    92: np.square,
    101: np.abs,
    104: np.ceil,
    108: np.cos,
    8: np.floor,
    111: lambda x: np.where(x < 0, np.exp(np.minimum(x, 0)) - 1, x),
    116: np.round,
    117: lambda x: x * np.clip(x + 3, 0, 6) / 6,
}


@pytest.mark.parametrize("code", UNARY)
def test_functions_of_one_element(code: int, tmp_path: Path) -> None:
    x = POSITIVE if code in (73, 75, 76) else X * F32(4)
    found = run_one(tmp_path, code, x, [], x.shape, None)
    np.testing.assert_allclose(found, UNARY[code](x.astype(np.float64)), rtol=2e-6, atol=2e-6)


def test_rectifiers_with_slopes(tmp_path: Path) -> None:
    found = run_one(tmp_path, 98, X, [], X.shape, {0: ("f32", 0.125)})
    np.testing.assert_array_equal(found, np.where(X < 0, X * F32(0.125), X))
    slopes = np.array([0.5, 0.25, 2], F32)
    found = run_one(tmp_path, 54, X, [constant("slopes", slopes)], X.shape, None)
    np.testing.assert_array_equal(found, np.where(X < 0, X * slopes, X))


BINARY = {0: np.add, 18: np.multiply, 41: np.subtract, 42: np.divide, 55: np.maximum, 57: np.minimum, 78: np.power}
BINARY |= {99: lambda a, b: (a - b) ** 2, 90: np.floor_divide, 58: np.less, 61: np.greater, 71: np.equal}


@pytest.mark.parametrize("code", BINARY)
@pytest.mark.parametrize("shape", [(1, 5, 7, 3), (3,), (1,), (7, 1), (1, 1, 7, 3)])
def test_functions_of_two_elements(code: int, shape: tuple[int, ...], tmp_path: Path) -> None:
    other = (np.abs(RANDOM.normal(size=shape)) + 0.5).astype(F32)
    x = POSITIVE if code == 78 else X
    expected = np.asarray(BINARY[code](x, other))
    tensors = [Tensor("x", x.shape, flag=1), constant("b", other)]
    output = Tensor("y", x.shape, "bool" if expected.dtype == bool else "float32", flag=2)
    found = run_float(write_network(tmp_path, code, tensors, [output]), x)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    tensors[1] = Tensor("b", shape, flag=1)  # the same with an activation of another rank
    found = run_float(write_network(tmp_path, code, tensors, [output]), x, other)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_an_operator_with_an_activation_of_its_own(tmp_path: Path) -> None:
    found = run_one(tmp_path, 0, X, [constant("b", np.array([1], F32))], X.shape, {0: ("i8", 1)})
    np.testing.assert_array_equal(found, np.maximum(X + 1, 0))


REDUCERS = {40: np.mean, 74: np.sum, 82: np.max, 89: np.min, 81: np.prod}


@pytest.mark.parametrize("code", REDUCERS)
@pytest.mark.parametrize("axes", [(1, 2), (2,), (-1,), (1, 2, 3)])
@pytest.mark.parametrize("keep", [False, True])
def test_reductions(code: int, axes: tuple[int, ...], keep: bool, tmp_path: Path) -> None:
    expected = REDUCERS[code](X.astype(np.float64), axis=axes, keepdims=keep)
    found = run_one(tmp_path, code, X, [ints(*axes)], expected.shape, {0: ("i8", keep)})
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_normalisations_over_the_channels(tmp_path: Path) -> None:
    powers = np.exp(X.astype(np.float64))
    softmax = powers / powers.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(run_one(tmp_path, 25, X, [], X.shape, {0: ("f32", 1)}), softmax, rtol=1e-5)
    np.testing.assert_allclose(run_one(tmp_path, 25, X, [], X.shape, None), softmax, rtol=1e-5)
    squared = powers**2 / (powers**2).sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(run_one(tmp_path, 25, X, [], X.shape, {0: ("f32", 2)}), squared, rtol=1e-5)
    np.testing.assert_allclose(run_one(tmp_path, 50, X, [], X.shape, None), np.log(softmax), rtol=1e-5, atol=1e-6)
    length = np.sqrt((X.astype(np.float64) ** 2).sum(axis=-1, keepdims=True))
    np.testing.assert_allclose(run_one(tmp_path, 11, X, [], X.shape, None), X / length, rtol=1e-5)


@pytest.mark.parametrize(("code", "function"), [(56, np.argmax), (79, np.argmin)])
@pytest.mark.parametrize("axis", [1, 2, -1])
def test_places_of_extremes(code: int, function: object, axis: int, tmp_path: Path) -> None:
    expected = function(X, axis=axis)  # type: ignore[operator]
    tensors = [Tensor("x", X.shape, flag=1), ints(axis)]
    path = write_network(tmp_path, code, tensors, [Tensor("y", expected.shape, "int32", flag=2)])
    np.testing.assert_array_equal(run_float(path, X)[0], expected)


def test_matrix_products(tmp_path: Path) -> None:
    w, bias = RANDOM.normal(size=(5, 6)).astype(F32), RANDOM.normal(size=5).astype(F32)
    extra = [constant("w", w), constant("b", np.stack([bias, np.ones(5, F32)]))]
    found = run_one(tmp_path, 9, ROWS, extra, (4, 5), {0: ("i8", 1)})
    np.testing.assert_allclose(found, np.maximum(ROWS @ w.T + bias, 0), rtol=1e-5, atol=1e-6)
    a = RANDOM.normal(size=(1, 2, 4, 6)).astype(F32)
    b = RANDOM.normal(size=(1, 2, 5, 6)).astype(F32)
    tensors = [Tensor("a", a.shape, flag=1), Tensor("b", b.shape, flag=1)]
    path = write_network(tmp_path, 126, tensors, [Tensor("y", (1, 2, 4, 5), flag=2)], {0: ("u8", 0), 1: ("u8", 1)})
    np.testing.assert_allclose(run_float(path, a, b)[0], a @ b.swapaxes(2, 3), rtol=1e-4, atol=1e-5)


def test_resizes(tmp_path: Path) -> None:
    corners = {2: ("u8", 1), 3: ("u8", 0)}
    found = run_one(tmp_path, 23, X, [ints(9, 13)], (1, 9, 13, 3), corners)
    np.testing.assert_allclose(found[:, ::2, ::2], X, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found[:, 1::2, ::2], (X[:, :-1] + X[:, 1:]) / 2, rtol=1e-4, atol=1e-5)
    found = run_one(tmp_path, 97, X, [ints(10, 21)], (1, 10, 21, 3), {0: ("u8", 0), 1: ("u8", 0)})
    np.testing.assert_array_equal(found, X.repeat(2, 1).repeat(3, 2))
    halves = run_one(tmp_path, 97, X, [ints(10, 21)], (1, 10, 21, 3), {0: ("u8", 0), 1: ("u8", 1)})
    rows = [math.floor((i + 0.5) / 2) for i in range(10)]
    columns = [math.floor((i + 0.5) / 3) for i in range(21)]
    np.testing.assert_array_equal(halves, X[:, rows][:, :, columns])


def test_an_operator_that_is_not_known_is_named_with_its_tensors_and_all_that_are(tmp_path: Path) -> None:
    path = write_network(tmp_path, "PostProcess_Max", [Tensor("x", X.shape, flag=1)], [Tensor("y", X.shape, flag=2)])
    with pytest.raises(
        UnsupportedOp, match=r"PostProcess_Max \(operator 0\) is not known here; inputs: x; outputs: y"
    ) as info:
        read_vendor(path)
    assert info.value.hint == f"known operators: {', '.join(sorted(list_translations()))}"
