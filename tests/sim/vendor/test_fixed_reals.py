"""Fixed operators without an integer rule: on real values, held against LiteRT on the same real values, and marked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.data.vendor_sim import FIXED, Operator, Sim, Tensor, write_sim
from ipudebug.sim.vendor import read_vendor
from tests.sim.vendor.litert import run_litert
from tests.sim.vendor.networks import run_fixed
from tests.sim.vendor.test_fixed_operators import activation

X_SCALE, X_ZERO = np.float32(0.02), 100
INT16_SCALE = np.float32(0.0003)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


CASES: dict[str, tuple] = {  # code, options' type, operands ("u8", "i16" or a constant), options, scale of the output
    "tanh": (28, 0, ["u8"], None, 1 / 32767),
    "exp": (47, 33, ["u8"], {}, 0.0008),
    "sqrt": (75, 0, ["positive"], None, 0.0001),
    "rsqrt": (76, 0, ["positive"], None, 0.001),
    "abs": (101, 78, ["i16"], {}, 0.0003),
    "neg": (59, 42, ["i16"], {}, 0.0004),
    "hard swish": (117, 91, ["u8"], {}, 0.0002),
    "div": (42, 29, ["u8", "positive"], {0: ("i8", 0)}, 0.005),
    "mul of bytes": (18, 21, ["u8", "u8"], {0: ("i8", 0)}, 0.0005),
    "mul of a byte": (18, 21, ["u8", "i16"], {0: ("i8", 0)}, 0.001),
    "min": (57, 39, ["u8", "i16"], {}, 0.0003),
    "max of scales": (55, 39, ["u8", "i16"], {}, 0.0003),
    "squared difference": (99, 76, ["u8", "i16"], {}, 0.005),
    "log softmax": (50, 36, ["u8"], {}, 0.001),
    "l2": (11, 12, ["u8"], {0: ("i8", 0)}, 1 / 32767),
    "sum": (74, 27, ["u8", ints(1, 2)], {0: ("i8", 1)}, 0.003),
    "max": (82, 27, ["u8", ints(-1)], {0: ("i8", 0)}, 0.0003),
    "mean that changes scale": (40, 27, ["u8", ints(1, 2)], {0: ("i8", 0)}, 0.0003),
    "bilinear": (23, 15, ["u8", ints(7, 5)], {2: ("u8", 0), 3: ("u8", 1)}, 0.0003),
    "nearest": (97, 74, ["u8", ints(6, 8)], {0: ("u8", 0), 1: ("u8", 0)}, 0.0003),
    "gather": (36, 23, ["u8", ints(2, 0)], {0: ("i32", 1)}, 0.0003),
    "pack": (83, 59, ["i16", "i16"], {0: ("i32", 2), 1: ("i32", 1)}, 0.0003),
    "strided": (45, 32, ["u8", ints(0, 2, 0, 0), ints(2, -9, 4, 5), ints(1, -1, 2, 3)], {0: ("i32", 0)}, 0.0003),
    "batch product": (126, 101, ["u8", "i16"], {0: ("u8", 0), 1: ("u8", 1)}, 0.003),
    "depth": (26, 19, ["even"], {0: ("i32", 2)}, 0.0003),
    "mirror": (100, 77, ["u8", np.array([[0, 0], [1, 2], [0, 1], [0, 0]], np.int32)], {0: ("i8", 0)}, 0.0003),
    "concat of scales": (2, 10, ["u8", "i16"], {0: ("i32", 3)}, 0.0003),
    "elu": (111, 0, ["u8"], None, 0.0003),
}


def draw(kind: str, random: np.random.Generator) -> tuple[np.ndarray, float, int]:
    """Return integers, their scale and zero point."""
    shape = (2, 4, 6, 5) if kind == "even" else (2, 3, 4, 5)
    if kind == "i16":
        return random.integers(-32768, 32768, shape).astype(np.int16), float(INT16_SCALE), 0
    low = X_ZERO + 5 if kind == "positive" else 0
    return random.integers(low, 256, shape).astype(np.uint8), float(X_SCALE), X_ZERO


@pytest.mark.parametrize("name", CASES)
def test_an_operator_runs_on_the_real_values_and_says_so(name: str, tmp_path: Path) -> None:
    code, kind, operands, options, scale = CASES[name]
    random = np.random.default_rng(len(name))
    fixed, plain, feeds, reals, fed = [], [], [], [], []
    for number, operand in enumerate(operands):
        if isinstance(operand, str):
            stored, step, zero = draw(operand, random)
            real = ((stored.astype(np.float32) - zero) * np.float32(step)).astype(np.float32)
            fixed.append(activation(f"x{number}", stored.dtype.name, step, zero, stored.shape))
            plain.append(Tensor(f"x{number}", stored.shape))
            feeds.append(stored)
            reals.append(real)
            fed.append(number)
        else:
            constant = Tensor(f"x{number}", operand.shape, "int32", operand, scale=[1.0], zero=[0], flag=0)
            fixed.append(constant)
            plain.append(constant)
    end = len(operands)
    operator = Operator(code, range(end), [end], options, kind)
    if name == "elu":  # not among LiteRT's plain kernels
        expected = np.where(reals[0] < 0, np.expm1(np.minimum(reals[0], 0)), reals[0])
    else:
        (expected,) = run_litert(Sim([*plain, Tensor("y", (1,))], [operator], fed, [end], "plain", plain=True), reals)
    y = activation("y", "int16", scale, 0, expected.shape)
    (tmp_path / "fixed.sim").write_bytes(write_sim(Sim([*fixed, y], [operator], fed, [end], FIXED)))
    model = read_vendor(tmp_path / "fixed.sim")
    assert [operation.inexact for operation in model.operations] == [(model.operations[0].in_type,)]
    wanted = np.clip(np.floor(expected.astype(np.float64) / np.float32(scale) + 0.5), -32768, 32767)
    found = run_fixed(model, *feeds)[0]
    assert found.dtype == np.int16
    assert np.abs(found - wanted).max() <= 1  # a tie may fall to either side in float32
    assert (found == wanted).mean() >= 0.97


def test_scales_of_weights_lie_along_the_outputs(tmp_path: Path) -> None:
    """A transposed convolution with as many outputs as inputs: [3, 2, 2, 3] with three scales."""
    random = np.random.default_rng(3)
    w = random.integers(-127, 128, (3, 2, 2, 3)).astype(np.int8)
    x = random.integers(0, 256, (1, 2, 3, 3)).astype(np.uint8)
    scales = np.array([0.01, 0.02, 0.05], np.float32)
    size = Tensor("size", (4,), "int32", np.array([1, 4, 6, 3]), scale=[1.0], zero=[0], flag=0)
    weights = Tensor("w", w.shape, "int8", w, scale=scales.tolist(), zero=[0] * 3, flag=0)
    tensors = [
        size,
        weights,
        activation("x", "uint8", 0.02, 7, x.shape),
        activation("y", "int16", 0.01, 0, (1, 4, 6, 3)),
    ]
    options = {0: ("i8", 1), 1: ("i32", 2), 2: ("i32", 2)}
    sim = Sim(tensors, [Operator(67, [0, 1, 2], [3], options)], [2], [3], FIXED)
    (tmp_path / "fixed.sim").write_bytes(write_sim(sim))
    real = (x.astype(float) - 7) * np.float32(0.02)
    kernel = w * scales.reshape(3, 1, 1, 1).astype(float)
    expected = np.einsum("nijc,ohwc->nihjwo", real, kernel).reshape(1, 4, 6, 3)
    found = run_fixed(read_vendor(tmp_path / "fixed.sim"), x)[0]
    assert np.abs(found - np.floor(expected / np.float32(0.01) + 0.5)).max() <= 1


def test_integers_become_the_real_numbers_that_they_stand_for(tmp_path: Path) -> None:
    x = np.random.default_rng(5).integers(-32768, 32768, (1, 3, 4, 5)).astype(np.int16)
    tensors = [activation("x", "int16", 0.01, 0, x.shape), Tensor("y", x.shape)]
    (tmp_path / "fixed.sim").write_bytes(write_sim(Sim(tensors, [Operator("Fix2Float", [0], [1])], description=FIXED)))
    (found,) = run_fixed(read_vendor(tmp_path / "fixed.sim"), x)
    np.testing.assert_array_equal(found, x.astype(np.float32) * np.float32(0.01))


def test_an_extreme_s_place_is_an_integer_of_its_own(tmp_path: Path) -> None:
    x = np.random.default_rng(4).permutation(60).astype(np.uint8).reshape(1, 3, 4, 5)
    where = Tensor("axis", (1,), "int32", ints(-1), scale=[1.0], zero=[0], flag=0)
    tensors = [activation("x", "uint8", 0.02, 7, x.shape), where, Tensor("y", (1, 3, 4), "int32")]
    sim = Sim(tensors, [Operator(56, [0, 1], [2], {0: ("i8", 2)}, 40)], [0], [2], FIXED)
    (tmp_path / "fixed.sim").write_bytes(write_sim(sim))
    np.testing.assert_array_equal(run_fixed(read_vendor(tmp_path / "fixed.sim"), x)[0], x.argmax(-1))
