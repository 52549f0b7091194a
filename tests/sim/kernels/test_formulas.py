"""Every kernel's formula gives the bits of the kernel, which is checked against Python integers elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ipudebug.sim.kernels import KERNELS
from tests.sim.kernels import test_convolution, test_elementwise, test_pools
from tests.sim.kernels.formulas import Case, check_cases, run_formulas

EXPRESSIVE = [name for name in KERNELS if KERNELS[name].express]
CASES = 400
Maker = Callable[[np.random.Generator], Case]


def draw_shape(rng: np.random.Generator, least: int = 1) -> tuple[int, ...]:
    return tuple(int(n) for n in rng.integers(1, 6, rng.integers(least, 5)))


def make_convolution(op: str) -> Maker:
    def make(rng: np.random.Generator) -> Case:
        (x, *constants), attributes = test_convolution.make_case(rng, op.startswith("D"))
        if rng.integers(3):  # parameters as calibration makes them
            attributes |= {"pre": int(rng.integers(0, 9)), "post": int(rng.integers(7, 24))}
        attributes["layout"] = "NCHW"
        return Case(op, [np.ascontiguousarray(x.transpose(0, 3, 1, 2)), *constants], attributes, (1, 2, 3))

    return make


def make_elementwise(op: str) -> Maker:
    def make(rng: np.random.Generator) -> Case:
        types = [str(t) for t in rng.choice(["uint8", "int16"], 2)]
        shape = draw_shape(rng)
        attributes = test_elementwise.draw_attributes(rng, op, types) | {"layout": "NCHW"}
        if rng.integers(3):
            attributes |= {"shift": int(rng.integers(7, 31)), "shifts": [int(n) for n in rng.integers(7, 31, 2)]}
        arrays = [test_elementwise.draw(rng, types[0], shape)]
        if op in test_elementwise.TWO_TENSORS:
            other = shape if rng.integers(2) else tuple(int(rng.choice([n, 1])) for n in shape)
            arrays.append(test_elementwise.draw(rng, types[1], other))
        elif op in test_elementwise.WITH_CONSTANT:
            dtype = test_elementwise.WITH_CONSTANT[op][1]
            channels = shape[1] if len(shape) > 1 else shape[0]
            arrays.append(test_elementwise.draw(rng, dtype, channels if rng.integers(2) else 1))
        if op not in ("ADD", "SUB"):
            attributes["zeros"] = attributes["zeros"][:1]
        count = 2 if op in ("ADD", "SUB") else int(rng.integers(1, 3)) if op == "RELU" else 1
        attributes["multipliers"] = test_elementwise.draw_multipliers(rng, count)
        attributes["shifts"] = attributes["shifts"][:1] * count
        return Case(op, arrays, attributes, (1,) if op.endswith("CONSTANT") else ())

    return make


def make_pool(op: str) -> Maker:
    def make(rng: np.random.Generator) -> Case:
        kernel = [int(k) for k in rng.integers(1, 5, 2)]
        attributes = {
            "kernel": kernel,
            "strides": [int(s) for s in rng.integers(1, 4, 2)],
            "pads": [int(rng.integers(0, kernel[i % 2])) for i in range(4)],
            "layout": "NCHW",
            "count_include_pad": int(rng.integers(2)),
            "x_zero": int(rng.integers(0, 2)),
        }
        return Case(op, [test_pools.draw(rng, (2, int(rng.integers(1, 6)), *rng.integers(5, 9, 2)))], attributes)

    return make


def make_input_conversion(rng: np.random.Generator) -> Case:
    channels = int(rng.integers(3, 5))
    kind = rng.integers(4)
    matrix = (np.eye(3, dtype=int)[rng.permutation(3)] * 1024).ravel()
    if kind:
        matrix = rng.integers(*[(-1100, 1100), (0, 1025), (-32768, 32768)][kind - 1], 9)
    offset = rng.integers(0, 512, 3) if kind or rng.integers(2) else np.full(3, 256)
    attributes = {"matrix": matrix.tolist(), "offset": offset.tolist(), "layout": "NCHW"}
    return Case("INPUT_CONVERSION", [rng.integers(0, 256, (1, channels, 5, 7)).astype(np.uint8)], attributes)


def make_reshape(rng: np.random.Generator) -> Case:
    shape = draw_shape(rng)
    wanted: list[int] = [[-1], [0, -1], [1, *shape], [*shape[::-1]]][rng.integers(4)]
    return Case("RESHAPE", [test_pools.draw(rng, shape)], {"shape": wanted})


def make_concatenation(rng: np.random.Generator) -> Case:
    shape, dtype = draw_shape(rng), rng.choice(["uint8", "int16"])
    axis = int(rng.integers(len(shape)))
    shapes = [[int(rng.integers(1, 4)) if i == axis else n for i, n in enumerate(shape)] for _ in range(3)]
    arrays = [test_elementwise.draw(rng, str(dtype), one) for one in shapes]
    return Case("CONCATENATION", arrays, {"axis": axis - len(shape) * int(rng.integers(2))})


MAKERS: dict[str, Maker] = {
    **{op: make_convolution(op) for op in ("CONV_2D", "DEPTHWISE_CONV_2D")},
    **{op: make_elementwise(op) for op in ("ADD", "SUB", "ADD_CONSTANT", "MUL_CONSTANT", "RELU")},
    **{op: make_pool(op) for op in ("MAX_POOL_2D", "AVERAGE_POOL_2D")},
    "INPUT_CONVERSION": make_input_conversion,
    "RESHAPE": make_reshape,
    "CONCATENATION": make_concatenation,
}


@pytest.mark.parametrize("name", EXPRESSIVE)
def test_random_nodes(name: str) -> None:
    rng = np.random.default_rng(11)
    expressed = check_cases([MAKERS[name.upper()](rng) for _ in range(CASES)])
    assert expressed > CASES * 0.4


def convolution(x: np.ndarray, w: np.ndarray, op: str = "CONV_2D", bias: Any = 0, mult: Any = 1, **more: Any) -> Case:
    count = w.shape[3] if op.startswith("D") else len(w)
    constants = [np.full(count, bias, np.int16), np.full(count, mult, np.int16)]
    attributes = test_convolution.attributes_of(layout="NCHW", **more)
    return Case(op, [x, w, *constants], attributes, (1, 2, 3))


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("quotient", [0, 1, 2047, 2048, 4095, 4096, 4097, 8190, 8191, 8192, 8193, 16384, 16385])
def test_ties_of_the_first_shift(quotient: int, sign: int) -> None:
    """All sums 64 below to 64 above a tie, near the ends of what float32 can tell apart: 2^22 to 2^25."""
    pre = 11
    first = (quotient << pre) + (1 << pre - 1) - 64
    full, rest = divmod(first, 255 * 127)
    row = [*[255] * full, rest // 127, 0]
    x = np.repeat(np.array(row, np.uint8)[None, :, None, None], 129, axis=3)
    x[0, -1, 0] = np.arange(129) + rest % 127
    w = np.full((1, 1, 1, len(row)), 127 * sign, np.int8)
    w[..., -1] = sign
    case = convolution(x, w, bias=-sign * (first >> pre), mult=128, pre=pre, post=7)
    (expected,) = case.compute()
    assert (np.abs(expected.ravel()) == [0] * 64 + [1] * 65).all()
    assert check_cases([case]) == 1


def test_shifted_sums_beyond_int16() -> None:
    """They may be clipped where the output is at its bound anyway, not with a multiplier that brings them back."""
    x = np.repeat(np.arange(0, 256, 3, dtype=np.uint8)[None, None, None], 40, axis=1)
    w = np.full((2, 1, 1, 40), 127, np.int8)
    w[1] *= -1
    cases = [convolution(x, w, mult=mult, post=post) for mult in (1, 7, 300, -300, 32767) for post in (7, 9, 12, 16)]
    assert check_cases(cases) == len(cases)
    assert np.abs(x.astype(int).sum(axis=1) * 127).max() > 1 << 20


@pytest.mark.parametrize("zero", [0, 3, 255])
@pytest.mark.parametrize("op", ["CONV_2D", "DEPTHWISE_CONV_2D"])
def test_padding_has_the_zero_point(op: str, zero: int) -> None:
    rng = np.random.default_rng(zero)
    x = rng.integers(0, 256, (2, 70, 6, 5)).astype(np.uint8)
    w = rng.integers(100, 128, (1 if op.startswith("D") else 4, 3, 3, 70)).astype(np.int8)
    cases = [convolution(x, w, op, 9, 20000, pads=[1, 2, 0, 1], x_zero=zero, pre=pre, post=20) for pre in (0, 7, 10)]
    assert check_cases(cases) == len(cases)


@pytest.mark.parametrize(("x_type", "w_type"), [("int16", "int16"), ("int16", "int8"), ("uint8", "int16")])
def test_sixteen_bits(x_type: str, w_type: str) -> None:
    rng = np.random.default_rng(4)
    info, limit = np.iinfo(x_type), np.iinfo(w_type).max
    x = rng.choice([info.min, info.max, 0, 1, 127, 128], (1, 600, 3, 4)).astype(x_type)
    w = rng.choice([-limit, limit, 1, 127, 128], (3, 3, 3, 600)).astype(w_type)
    cases = [convolution(x, w, bias=5, mult=23456, pre=pre, post=18, pads=[0, 1, 1, 0]) for pre in (8, 13, 24, 31)]
    assert check_cases(cases) == len(cases)


def test_the_number_of_threads_does_not_matter() -> None:
    rng = np.random.default_rng(6)
    x = rng.integers(0, 256, (1, 300, 40, 41)).astype(np.uint8)
    w = rng.integers(-127, 128, (32, 3, 3, 300)).astype(np.int8)
    cases = [convolution(x, w, bias=7, mult=20001, pre=pre, post=22, pads=[1] * 4, x_zero=9) for pre in (3, 9)]
    assert [check_cases(cases, threads) for threads in (1, 2, 5)] == [2, 2, 2]


def test_what_is_no_constant_has_no_formula() -> None:
    x, w = np.zeros((1, 2, 3, 3), np.uint8), np.zeros((1, 1, 1, 2), np.int8)
    case = convolution(x, w)
    case.constants = (2, 3)
    assert case.express(0) is None
    case = convolution(x, w, pre=60)
    assert case.express(0) is None
    assert run_formulas([convolution(x, w, pre=3)])[0] is not None
