"""Integer operators in unusual shapes: odd channels, tiles, asymmetric pads, ranks; against Python integers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bench.data.vendor_sim import FIXED, Operator, Sim, Tensor, write_sim
from ipudebug.errors import UnsupportedOp
from ipudebug.sim.model import SimModel
from ipudebug.sim.vendor import read_vendor
from tests.sim.vendor.networks import run_fixed, write_fixed
from tests.sim.vendor.test_fixed_operators import activation, clip, draw, f32, half_up, normalise

RANDOM = np.random.default_rng(23)


def pieces(start: int, stop: int, size: int) -> Iterator[range]:
    for first in range(start, stop, size):
        yield range(first, min(first + size, stop))


def pack(values: list[int], dtype: str) -> bytes:
    data = np.array(values, dtype).tobytes()
    return data + bytes(-len(data) % 32)


def encode(w: np.ndarray, tiles: tuple[int, int, int, int]) -> bytes:
    """Return weights [O,kh,kw,I] in the chip's order, written from its description in docs/exactness.md."""
    made, height, width, read = w.shape
    inner_in, outer_in, inner_out, outer_out = tiles
    block = 16 // w.dtype.itemsize
    out = b""
    for far_out in pieces(0, made, outer_out):
        for far_in in pieces(0, read, outer_in):
            for near_out in pieces(far_out.start, far_out.stop, inner_out):
                for near_in in pieces(far_in.start, far_in.stop, inner_in):
                    for os in pieces(near_out.start, near_out.stop, block):
                        for cs in pieces(near_in.start, near_in.stop, block):
                            for i, j in np.ndindex(height, width):
                                out += pack([int(w[o, i, j, c]) for o in os for c in cs], w.dtype.name)
    return out


def encode_depthwise(w: np.ndarray, tiles: tuple[int, int, int, int]) -> bytes:
    """Return weights [1,kh,kw,C] in the chip's order."""
    _, height, width, channels = w.shape
    block = 16 // w.dtype.itemsize
    out = b""
    for far in pieces(0, channels, tiles[3]):
        for near in pieces(far.start, far.stop, tiles[2]):
            for cs in pieces(near.start, near.stop, block):
                out += pack([int(w[0, i, j, c]) for i, j in np.ndindex(height, width) for c in cs], w.dtype.name)
    return out


def convolve(x: np.ndarray, w: np.ndarray, window: tuple, parameters: np.ndarray, shifts: tuple, limits: tuple,
             zero: int, kernels: int) -> np.ndarray:  # fmt: skip
    """Return what SPEC's formula makes of every window, in Python integers; ``kernels`` is 0 for a CONV_2D."""
    (top, left, bottom, right), strides, dilations = window
    padded = np.pad(x.astype(object), [(0, 0), (top, bottom), (left, right), (0, 0)], constant_values=zero)
    kh, kw = w.shape[1:3]
    rows = (padded.shape[1] - (kh - 1) * dilations[0] - 1) // strides[0] + 1
    columns = (padded.shape[2] - (kw - 1) * dilations[1] - 1) // strides[1] + 1
    y = np.zeros((x.shape[0], rows, columns, parameters.shape[1]), int)
    for n, i, j, c in np.ndindex(y.shape):
        seen = padded[n, i * strides[0] :: dilations[0], j * strides[1] :: dilations[1]][:kh, :kw]
        kernel = w[0, :, :, c].astype(object) if kernels else w[c].astype(object)
        total = int(((seen[..., c // kernels] if kernels else seen) * kernel).sum())
        pre, post = shifts
        away = ((abs(total) + (1 << pre >> 1)) >> pre) * (1 if total >= 0 else -1)
        value = half_up((away + int(parameters[0, c])) * int(parameters[1, c]), post)
        y[n, i, j, c] = min(max(value, limits[0]), limits[1])
    return y


WINDOWS = [
    ((0, 0, 0, 0), (1, 1), (1, 1)),
    ((1, 0, 2, 3), (2, 1), (1, 1)),
    ((0, 2, 1, 0), (1, 2), (2, 1)),
    ((3, 1, 0, 2), (2, 2), (1, 3)),
]
CONVOLUTIONS = [  # types of x, w, y; channels in and out; tiles
    ("uint8", "int8", "uint8", 3, 5, (16, 16, 16, 16)),
    ("uint8", "int8", "int16", 19, 33, (16, 16, 16, 16)),
    ("int16", "int16", "int16", 11, 9, (8, 8, 8, 8)),
    ("int16", "int16", "uint8", 17, 3, (16, 16, 16, 16)),
    ("uint8", "int8", "uint8", 37, 21, (3, 16, 5, 10)),
    ("int16", "int8", "int16", 1, 1, (16, 16, 16, 16)),
]


def write_convolution(folder: Path, case: tuple, window: tuple, kernels: int, shifts: tuple, relu: bool) -> tuple:
    """Write a fixed model of one convolution; return it, its input, weights and parameters."""
    kind, weight, result, channels, made, tiles = case
    depthwise = kernels > 0
    made = channels * kernels if depthwise else made
    limit = np.iinfo(weight).max
    random = np.random.default_rng([kernels, channels, made])  # the same whichever tests run
    shape = (1, 3, 2, made) if depthwise else (made, 3, 2, channels)
    w = random.integers(-limit, limit + 1, shape).astype(weight)
    sums = w.astype(np.int64).sum(axis=(0, 1, 2) if depthwise else (1, 2, 3))
    centre = -(sums * (128 if kind == "uint8" else 0)) >> shifts[0]  # what the mean of x contributes
    parameters = np.stack([centre + random.integers(0, 2000, made), random.integers(16384, 32768, made)])
    parameters = np.clip(parameters, -32768, 32767).astype(np.int16)
    rows = b"".join(row.tobytes() + bytes(-2 * made % 16) for row in parameters)
    (top, left, bottom, right), strides, dilations = window
    low, high = np.iinfo(kind).min, np.iinfo(kind).max
    x = random.integers(low, high + 1, (2, 9, 8, channels)).astype(kind)
    rows_out = (9 + top + bottom - 2 * dilations[0] - 1) // strides[0] + 1
    wide = (8 + left + right - dilations[1] - 1) // strides[1] + 1
    tensors = [
        activation("x", kind, 0.01, 117 if kind == "uint8" else 0, x.shape),
        Tensor("w", shape, weight, raw=encode_depthwise(w, tiles) if depthwise else encode(w, tiles),
               scale=[0.01] * made, zero=[0] * made, ddr=10 if weight == "int8" else 13, flag=0),
        Tensor("b", (2, made), "int16", raw=rows, flag=0),
        activation("y", result, 0.02, 9 if result == "uint8" else 0, (2, rows_out, wide, made)),
    ]  # fmt: skip
    move = 1 if depthwise else 0
    fields = [strides[1], strides[0], *([kernels] if depthwise else []), int(relu), dilations[1], dilations[0],
              left, right, top, bottom, *tiles]  # fmt: skip
    options = {0: ("i8", 2), **{slot: ("i32", value) for slot, value in enumerate(fields, 1)}}
    options |= {35 + move: ("i32", shifts[0]), 37 + move: ("i32", shifts[1])}
    sim = Sim(tensors, [Operator(4 if depthwise else 3, [0, 1, 2], [3], options)], [0], [3], FIXED)
    (folder / "conv.sim").write_bytes(write_sim(sim))
    return read_vendor(folder / "conv.sim"), x, w, parameters


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("case", CONVOLUTIONS, ids=lambda case: "-".join(map(str, case[:5])))
@pytest.mark.parametrize("kernels", [0, 1, 2])
def test_convolutions(case: tuple, window: tuple, kernels: int, tmp_path: Path) -> None:
    relu = window[1] == (2, 1)
    shifts = (6 if case[0] == "uint8" else 9 if case[1] == "int8" else 17, 20 if case[2] == "uint8" else 14)
    model, x, w, parameters = write_convolution(tmp_path, case, window, kernels, shifts, relu)
    limits = np.iinfo(case[2])
    y_zero = 9 if case[2] == "uint8" else 0
    low = max(int(limits.min), y_zero) if relu else int(limits.min)
    x_zero = 117 if case[0] == "uint8" else 0
    expected = convolve(x, w, window, parameters, shifts, (low, int(limits.max)), x_zero, kernels)
    np.testing.assert_array_equal(run_fixed(model, x)[0], expected)
    assert np.unique(expected).size > 10  # the shifts leave something to compare
    assert model.operations[0].inexact == (("DEPTHWISE_CONV_2D",) if kernels == 2 else ())


def test_groups_of_channels_are_refused(tmp_path: Path) -> None:
    case = ("uint8", "int8", "uint8", 4, 6, (16, 16, 16, 16))
    _, x, w, _ = write_convolution(tmp_path, case, WINDOWS[0], 0, (9, 15), False)
    tensors = [
        activation("x", "uint8", 0.01, 0, (*x.shape[:3], 8)),
        Tensor("w", w.shape, "int8", raw=bytes(6 * 32 * 9), scale=[0.1], zero=[0], ddr=10, flag=0),
        Tensor("b", (2, 6), "int16", raw=bytes(32), flag=0),
    ]
    path = write_fixed(tmp_path, 3, tensors, [activation("y", "uint8", 0.01, 0, (2, 7, 7, 6))], {0: ("i8", 1)})
    with pytest.raises(
        UnsupportedOp, match=r"CONV_2D .* has weights of shape \[6, 3, 2, 4\] for \[2, 9, 8, 8\]"
    ) as info:
        read_vendor(path)
    assert "groups of channels are not known" in str(info.value.hint)


def is_exact(model: SimModel) -> bool:
    return not any(operation.inexact for operation in model.operations)


CONSTANTS = [((2, 3, 4, 5), (5,)), ((2, 3, 4, 5), (1,)), ((2, 3, 4, 5), (4, 1)), ((2, 3, 4, 5), (1, 3, 1, 5)),
             ((2, 6, 5), (5,)), ((2, 6, 5), (6, 1)), ((3, 5), (5,)), ((7,), (7,)), ((7,), (1,)),
             ((2, 2, 3, 4, 5), (5,)), ((5,), (1, 2, 3, 5)), ((1, 3, 1, 5), (1, 1, 4, 5))]  # fmt: skip


@pytest.mark.parametrize(("shape", "other"), CONSTANTS)
@pytest.mark.parametrize("turned", [False, True])
def test_constants_of_every_shape(shape: tuple[int, ...], other: tuple[int, ...], turned: bool, tmp_path: Path) -> None:
    result = np.broadcast_shapes(shape, other)
    a = draw("int16", shape)
    x, y = activation("a", "int16", 0.0004, 0, shape), activation("y", "uint8", 0.11, 130, result)

    def run(code: int, constant: Tensor) -> tuple[np.ndarray, SimModel]:
        order = [constant, x] if turned else [x, constant]
        model = read_vendor(write_fixed(tmp_path, code, order, [y]))
        return run_fixed(model, a)[0], model

    wide, stored = np.broadcast_arrays(a.astype(object), RANDOM.integers(-90, 90, other).astype(np.int32))
    offsets = stored[tuple(slice(None, 1 if s == 1 else None) for s in (1,) * (len(result) - len(other)) + other)]
    constant = Tensor("c", other, "int32", np.array(offsets, np.int32).reshape(other), scale=[1.0], zero=[0], flag=0)
    (m,), n = normalise(f32(f32(0.0004) / f32(0.11)))
    signs = {0: (1, 1), 41: (-1, 1) if turned else (1, -1)}
    for code, (sign_a, sign_c) in signs.items():
        found, model = run(code, constant)
        expected = [
            clip(half_up(half_up(sign_a * int(p) * m, n - 1) + sign_c * int(c), 1) + 130, "uint8")
            for p, c in zip(wide.flat, stored.flat, strict=True)
        ]
        assert found.reshape(-1).tolist() == expected
        assert is_exact(model) == (code == 0)

    real = RANDOM.uniform(-2, 2, other)
    integers, shift = normalise(*[f32(r) * 0.0004 / 0.11 for r in real.flat])
    stored = np.array(integers, np.int16).reshape(other)
    ends = [[float(real.min())], [float(real.max())]]
    found, model = run(18, Tensor("c", other, "int16", stored, None, *ends, [1e-4], [0], flag=0))
    expected = [
        clip(half_up(int(p) * int(c), shift) + 130, "uint8")
        for p, c in zip(wide.flat, np.broadcast_to(stored, result).flat, strict=True)
    ]
    assert found.reshape(-1).tolist() == expected
    assert is_exact(model)


@pytest.mark.parametrize(("code", "sign"), [(0, 1), (41, -1)])
@pytest.mark.parametrize("activated", [1, 3])
def test_an_activation_inside_a_sum_is_its_lower_bound(code: int, sign: int, activated: int, tmp_path: Path) -> None:
    a, b = draw("int16"), draw("uint8")
    tensors = [activation("a", "int16", 0.0004), activation("b", "uint8", 0.05, 77)]
    path = write_fixed(tmp_path, code, tensors, [activation("y", "uint8", 0.06, 50)], {0: ("i8", activated)})
    model = read_vendor(path)
    (m0, m1), n = normalise(f32(f32(0.0004) / f32(0.06)), f32(f32(0.05) / f32(0.06)))
    sums = [half_up(int(p) * m0 + sign * (int(q) - 77) * m1, n) + 50 for p, q in zip(a.flat, b.flat, strict=True)]
    assert run_fixed(model, a, b)[0].reshape(-1).tolist() == [min(max(value, 50), 255) for value in sums]
    assert not is_exact(model)


@pytest.mark.parametrize("shape", [(2, 6, 5), (3, 5), (2, 3, 4, 5), (1, 2, 3, 4, 5), (7,)])
def test_slopes_belong_to_the_last_axis(shape: tuple[int, ...], tmp_path: Path) -> None:
    real = RANDOM.uniform(0.05, 0.9, shape[-1])
    stored, k = normalise(*map(float, real))
    slopes = Tensor("s", shape[-1:], "int16", np.array(stored, np.int16), None, [min(real)], [max(real)], [1e-4], [0],
                    flag=0)  # fmt: skip
    a = draw("int16", shape)
    x, y = activation("a", "int16", 0.0004, 0, shape), activation("y", "uint8", 0.1, 90, shape)
    found = run_fixed(read_vendor(write_fixed(tmp_path, 54, [x, slopes], [y])), a)[0]
    (m,), n = normalise(f32(f32(0.0004) / f32(0.1)))
    expected = [
        clip(half_up((half_up(p * stored[i % shape[-1]], k) if p < 0 else p) * m, n) + 90, "uint8")
        for i, p in enumerate(map(int, a.flat))
    ]
    assert found.reshape(-1).tolist() == expected


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (2, 6, 5), (3, 5), (1, 2, 3, 4, 5)])
def test_copies_along_every_axis(shape: tuple[int, ...], tmp_path: Path) -> None:
    x = draw("int16", shape)

    def scaled(name: str, shape: tuple[int, ...]) -> Tensor:
        return activation(name, "int16", 0.003, 0, shape)

    for axis in range(-len(shape), len(shape)):
        joined = np.concatenate([x, x[::-1]], axis)
        ends = [scaled("a", shape), scaled("b", shape)]
        model = read_vendor(write_fixed(tmp_path, 2, ends, [scaled("y", joined.shape)], {0: ("i32", axis)}))
        np.testing.assert_array_equal(run_fixed(model, x, np.ascontiguousarray(x[::-1]))[0], joined)
        assert is_exact(model)
        parts = np.split(x, [1], axis)
        sizes = Tensor("sizes", (2,), "int32", np.array([p.shape[axis] for p in parts]), flag=0)
        where = Tensor("axis", (1,), "int32", np.array([axis]), flag=0)
        if min(part.size for part in parts):
            outputs = [scaled(f"y{i}", part.shape) for i, part in enumerate(parts)]
            model = read_vendor(write_fixed(tmp_path, 102, [scaled("x", shape), sizes, where], outputs))
            for found, part in zip(run_fixed(model, x), parts, strict=True):
                np.testing.assert_array_equal(found, part)
        kept = x.astype(int).sum(axis=axis, keepdims=True) // shape[axis]
        model = read_vendor(write_fixed(tmp_path, 40, [scaled("x", shape), where], [scaled("y", kept.shape)]))
        np.testing.assert_array_equal(run_fixed(model, x)[0], kept)
    for order in itertools.islice(itertools.permutations(range(len(shape))), 0, 24, 7):
        permutation = Tensor("p", (len(shape),), "int32", np.array(order), flag=0)
        turned = x.transpose(order)
        model = read_vendor(write_fixed(tmp_path, 39, [scaled("x", shape), permutation], [scaled("y", turned.shape)]))
        np.testing.assert_array_equal(run_fixed(model, x)[0], turned)
        assert not is_exact(model)  # a copy, but not seen


@pytest.mark.parametrize("code", [1, 17])
def test_pools_with_asymmetric_pads(code: int, tmp_path: Path) -> None:
    x = draw("int16", (2, 5, 7, 3))
    window = {1: 1, 2: 2, 3: 2, 4: 3, 6: 1, 7: 0, 8: 1, 9: 2}  # strides 2 1, kernel 3 2, left right top bottom
    options = {0: ("i8", 2), **{slot: ("i32", value) for slot, value in window.items()}}
    ends = [activation(name, "int16", 0.01, 0, shape) for name, shape in (("x", x.shape), ("y", (2, 3, 7, 3)))]
    found = run_fixed(read_vendor(write_fixed(tmp_path, code, ends[:1], ends[1:], options)), x)[0]
    for n, i, j, c in np.ndindex(found.shape):
        rows, columns = range(2 * i - 1, 2 * i + 2), range(j - 1, j + 1)
        seen = [int(x[n, r, k, c]) for r in rows for k in columns if 0 <= r < 5 and 0 <= k < 7]
        assert found[n, i, j, c] == (max(seen) if code == 17 else sum(seen) // len(seen))
