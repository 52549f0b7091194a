"""Float operators that move elements, one by one, in NHWC, against NumPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.data.vendor_sim import Tensor
from tests.sim.vendor.networks import constant, run_float, run_one, write_network

RANDOM = np.random.default_rng(7)
X = RANDOM.normal(size=(1, 5, 7, 3)).astype(np.float32)
F32 = np.float32


def ints(*values: int) -> Tensor:
    return constant("integers", np.array(values, np.int32))


MOVES = [
    (22, [], (1, 105), None, lambda x: x.reshape(1, 105)),
    (22, [], (1, 7, 5, 3), None, lambda x: x.reshape(1, 7, 5, 3)),
    ("Reshape_Alias", [], (3, 35), None, lambda x: x.reshape(3, 35)),
    (43, [], (5, 7, 3), None, lambda x: x.reshape(5, 7, 3)),
    (70, [], (1, 1, 5, 7, 3), None, lambda x: x.reshape(1, 1, 5, 7, 3)),
    (39, [ints(0, 3, 1, 2)], (1, 3, 5, 7), None, lambda x: x.transpose(0, 3, 1, 2)),
    (39, [ints(2, 0, 3, 1)], (7, 1, 3, 5), None, lambda x: x.transpose(2, 0, 3, 1)),
    (
        65,
        [ints(0, 1, 2, 0), constant("size", np.array([1, 3, -1, 2], np.int32))],
        (1, 3, 5, 2),
        None,
        lambda x: x[:, 1:4, 2:, :2],
    ),
    (69, [ints(1, 2, 1, 3)], (1, 10, 7, 9), None, lambda x: np.tile(x, (1, 2, 1, 3))),
    (
        34,
        [constant("pads", np.array([[0, 0], [1, 0], [2, 3], [0, 1]], np.int32))],
        (1, 6, 12, 4),
        None,
        lambda x: np.pad(x, [(0, 0), (1, 0), (2, 3), (0, 1)]),
    ),
    (
        60,
        [constant("pads", np.array([[0, 0], [1, 0], [2, 3], [0, 1]], np.int32)), constant("v", np.array([5], F32))],
        (1, 6, 12, 4),
        None,
        lambda x: np.pad(x, [(0, 0), (1, 0), (2, 3), (0, 1)], constant_values=5),
    ),
    (
        100,
        [constant("pads", np.array([[0, 0], [1, 2], [3, 0], [0, 0]], np.int32))],
        (1, 8, 10, 3),
        {0: ("i8", 0)},
        lambda x: np.pad(x, [(0, 0), (1, 2), (3, 0), (0, 0)], mode="reflect"),
    ),
    (36, [ints(2, 0, 2)], (1, 5, 7, 3), {0: ("i32", 3)}, lambda x: x[..., [2, 0, 2]]),
    (
        36,
        [constant("at", np.array([[1], [4]], np.int32))],
        (1, 2, 1, 7, 3),
        {0: ("i32", 1)},
        lambda x: x[:, [[1], [4]]],
    ),
    (
        45,
        [
            ints(0, 4, 1, 0),
            constant("e", np.array([1, 0, 7, 3], np.int32)),
            constant("s", np.array([1, -2, 3, 1], np.int32)),
        ],
        (1, 3, 2, 3),
        {0: ("i32", 0), 1: ("i32", 2), 2: ("i32", 0), 3: ("i32", 0), 4: ("i32", 0)},
        lambda x: x[:, 4::-2, 1:7:3],
    ),
    (
        45,
        [
            ints(0, 0, -1, 0),
            constant("e", np.array([1, 5, 0, 3], np.int32)),
            constant("s", np.array([1, 1, 1, 1], np.int32)),
        ],
        (1, 5, 3),
        {0: ("i32", 0), 1: ("i32", 0), 2: ("i32", 0), 3: ("i32", 0), 4: ("i32", 4)},
        lambda x: x[:, :, -1],
    ),
]


@pytest.mark.parametrize("case", MOVES, ids=[f"{code}-{shape}" for code, _, shape, _, _ in MOVES])
def test_operators_that_only_move_elements(case: tuple, tmp_path: Path) -> None:
    code, extra, shape, options, function = case
    extra = [Tensor(f"c{i}", t.shape, t.dtype, t.data, flag=0) for i, t in enumerate(extra)]
    np.testing.assert_array_equal(run_one(tmp_path, code, X, extra, shape, options), function(X))


def test_depth_and_space(tmp_path: Path) -> None:
    x = RANDOM.normal(size=(1, 2, 3, 8)).astype(F32)
    deep = x.reshape(1, 2, 3, 2, 2, 2).transpose(0, 1, 3, 2, 4, 5).reshape(1, 4, 6, 2)
    np.testing.assert_array_equal(run_one(tmp_path, 5, x, [], (1, 4, 6, 2), {0: ("i32", 2)}), deep)
    np.testing.assert_array_equal(run_one(tmp_path, 26, deep, [], (1, 2, 3, 8), {0: ("i32", 2)}), x)


@pytest.mark.parametrize("axis", [1, 2, 3, -1])
def test_joining_and_taking_apart(axis: int, tmp_path: Path) -> None:
    parts = np.split(np.arange(X.shape[axis]), [1])
    pieces = [np.take(X, part, axis) for part in parts]
    tensors = [Tensor(f"x{i}", piece.shape, flag=1) for i, piece in enumerate(pieces)]
    for code in (2, "Concatenation_Alias"):
        path = write_network(tmp_path, code, tensors, [Tensor("y", X.shape, flag=2)], {0: ("i32", axis)})
        np.testing.assert_array_equal(run_float(path, *pieces)[0], X)
    outputs = [Tensor(f"y{i}", piece.shape, flag=2) for i, piece in enumerate(pieces)]
    sizes = constant("sizes", np.array([len(part) for part in parts], np.int32))
    where = constant("axis", np.array([axis], np.int32))
    path = write_network(tmp_path, 102, [Tensor("x", X.shape, flag=1), sizes, where], outputs, {0: ("i32", 2)})
    for found, piece in zip(run_float(path, X), pieces, strict=True):
        np.testing.assert_array_equal(found, piece)


def test_a_part_whose_reshape_was_removed_joins_by_its_number_of_elements(tmp_path: Path) -> None:
    other = RANDOM.normal(size=(1, 4, 3)).astype(F32)
    tensors = [Tensor("a", X.shape, flag=1), Tensor("b", other.shape, flag=1)]
    path = write_network(tmp_path, 2, tensors, [Tensor("y", (1, 39, 3), flag=2)], {0: ("i32", 1)})
    expected = np.concatenate([X.reshape(1, 35, 3), other], axis=1)
    np.testing.assert_array_equal(run_float(path, X, other)[0], expected)


@pytest.mark.parametrize("axis", [0, 2, 3])
def test_pack_and_unpack(axis: int, tmp_path: Path) -> None:
    x = RANDOM.normal(size=(5, 7, 3)).astype(F32)
    packed = np.stack([x, -x], axis)
    tensors = [Tensor("a", x.shape, flag=1), Tensor("b", x.shape, flag=1)]
    path = write_network(tmp_path, 83, tensors, [Tensor("y", packed.shape, flag=2)], {0: ("i32", 2), 1: ("i32", axis)})
    np.testing.assert_array_equal(run_float(path, x, -x)[0], packed)
    outputs = [Tensor("c", x.shape, flag=2), Tensor("d", x.shape, flag=2)]
    path = write_network(tmp_path, 88, [Tensor("x", packed.shape, flag=1)], outputs, {0: ("i32", 2), 1: ("i32", axis)})
    for found, expected in zip(run_float(path, packed), (x, -x), strict=True):
        np.testing.assert_array_equal(found, expected)
