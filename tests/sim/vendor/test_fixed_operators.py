"""Fixed operators one by one: the formulas of the chip in Python integers; where none is known, floats rounded."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from bench.data.vendor_sim import FIXED, Operator, Sim, Tensor, write_sim
from ipudebug.errors import ModelError, UnsupportedOp
from ipudebug.sim.vendor import read_vendor
from tests.sim.vendor.networks import Options, run_fixed, write_fixed

RANDOM = np.random.default_rng(11)
SHAPE = (1, 3, 4, 5)


def draw(dtype: str, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    limits = np.iinfo(dtype)
    return RANDOM.integers(limits.min, limits.max + 1, shape).astype(dtype)


def activation(name: str, dtype: str, scale: float, zero: int = 0, shape: tuple[int, ...] = SHAPE) -> Tensor:
    """Return an activation with the range that its scale stands for."""
    limits = np.iinfo(dtype)
    low, high = ((limits.min + (dtype == "int16")) - zero) * scale, (limits.max - zero) * scale
    return Tensor(name, shape, dtype, minimum=[low], maximum=[high], scale=[scale], zero=[zero], ddr=6)


def half_up(value: int, count: int) -> int:
    return (value + (1 << (count - 1))) >> count if count > 0 else value << -count


def normalise(*ratios: float) -> tuple[list[int], int]:
    """Return multipliers and shift as the specification words it."""
    count = 14 - math.floor(math.log2(max(map(abs, ratios))))
    while True:
        found = [math.floor(ratio * 2.0**count + 0.5) for ratio in ratios]
        if max(map(abs, found)) < 32768:
            return found, count
        count -= 1


def clip(value: int, dtype: str) -> int:
    return min(max(value, np.iinfo(dtype).min), np.iinfo(dtype).max)


def f32(value: float) -> float:
    return float(np.float32(value))


PAIRS = [
    ("int16", 0.0004, 0, "uint8", 0.013, 128, "int16", 0.0007, 0),
    ("int16", 0.0004, 0, "int16", 0.0009, 0, "uint8", 0.07, 100),
    ("uint8", 0.02, 3, "uint8", 0.05, 77, "uint8", 0.06, 50),
]


@pytest.mark.parametrize("code", [0, 41])
@pytest.mark.parametrize("case", PAIRS)
def test_sums_of_two_tensors(code: int, case: tuple, tmp_path: Path) -> None:
    ta, sa, za, tb, sb, zb, ty, sy, zy = case
    tensors = [activation("a", ta, sa, za), activation("b", tb, sb, zb)]
    a, b = draw(ta), draw(tb)
    found = run_fixed(read_vendor(write_fixed(tmp_path, code, tensors, [activation("y", ty, sy, zy)])), a, b)[0]
    (m0, m1), n = normalise(f32(f32(sa) / f32(sy)), f32(f32(sb) / f32(sy)))
    sign = 1 if code == 0 else -1
    expected = [
        clip(half_up((int(p) - za) * m0 + sign * (int(q) - zb) * m1, n) + zy, ty)
        for p, q in zip(a.flat, b.flat, strict=True)
    ]
    assert found.reshape(-1).tolist() == expected


def test_a_sum_with_a_constant_has_half_steps(tmp_path: Path) -> None:
    constant = np.array([5, -7, 1001, 0, -3], np.int32)
    tensors = [activation("a", "int16", 0.0004), Tensor("c", (5,), "int32", constant, scale=[1.0], zero=[0], flag=0)]
    a = draw("int16")
    found = run_fixed(read_vendor(write_fixed(tmp_path, 0, tensors, [activation("y", "int16", 0.0009)])), a)[0]
    (m,), n = normalise(f32(f32(0.0004) / f32(0.0009)))
    expected = [
        clip(half_up(half_up(int(p) * m, n - 1) + int(constant[i % 5]), 1), "int16") for i, p in enumerate(a.flat)
    ]
    assert found.reshape(-1).tolist() == expected


def test_a_product_with_a_constant_finds_its_shift_in_the_range(tmp_path: Path) -> None:
    real = np.array([0.5, -1.25, 0.75, 1.1, 0.01])
    s_a, s_y = 0.0004, 0.0007
    stored, n = normalise(*[f32(r) * s_a / s_y for r in real])
    data = np.array(stored, np.int16)
    constant = Tensor("c", (5,), "int16", data, None, [real.min()], [real.max()], [1.25 / 32767], [0], flag=0)
    a = draw("int16")
    path = write_fixed(tmp_path, 18, [activation("a", "int16", s_a), constant], [activation("y", "int16", s_y)])
    found = run_fixed(read_vendor(path), a)[0]
    expected = [clip(half_up(int(p) * stored[i % 5], n), "int16") for i, p in enumerate(a.flat)]
    assert found.reshape(-1).tolist() == expected


def test_a_product_of_two_tensors(tmp_path: Path) -> None:
    tensors = [activation("a", "int16", 0.0004), activation("b", "int16", 0.0005)]
    a, b = draw("int16"), draw("int16")
    found = run_fixed(read_vendor(write_fixed(tmp_path, 18, tensors, [activation("y", "int16", 0.003)])), a, b)[0]
    (m,), n = normalise(f32(f32(f32(0.0004) * f32(0.0005)) / f32(0.003)))
    expected = [
        clip(half_up(half_up(int(p) * int(q), 16) * m, n - 16), "int16") for p, q in zip(a.flat, b.flat, strict=True)
    ]
    assert found.reshape(-1).tolist() == expected


@pytest.mark.parametrize("alpha", [None, 0.1, 0.25])
@pytest.mark.parametrize(("dtype", "scale"), [("int16", 0.0007), ("uint8", 0.09)])
def test_rectifiers(alpha: float | None, dtype: str, scale: float, tmp_path: Path) -> None:
    code, options = (19, None) if alpha is None else (98, {0: ("f32", alpha)})
    y = activation("y", dtype, scale, 20 if dtype == "uint8" and alpha else 0)
    a = draw("int16")
    found = run_fixed(read_vendor(write_fixed(tmp_path, code, [activation("a", "int16", 0.0004)], [y], options)), a)[0]
    widest = f32(max(abs(f32(y.minimum[0])), abs(f32(y.maximum[0]))) / f32(32767))
    first = widest if dtype == "uint8" else f32(scale)
    (m,), n = normalise(f32(f32(0.0004) / first))
    (below,), k = normalise(f32(f32(f32(alpha) * f32(0.0004)) / first)) if alpha else ((0,), 0)
    expected = []
    for p in map(int, a.flat):
        value = half_up(p * m, n) if p >= 0 else half_up(p * below, k) if alpha else 0
        if dtype == "uint8":
            (second,), count = normalise(f32(widest / f32(scale)))
            value = half_up(clip(value, "int16") * second, count)
        expected.append(clip(value + y.zero[0], dtype))
    assert found.reshape(-1).tolist() == expected


def test_copies_keep_the_integers_and_pad_with_the_zero_point(tmp_path: Path) -> None:
    x = draw("uint8")
    a = activation("a", "uint8", 0.02, 7)
    pads = Tensor("pads", (4, 2), "int32", raw=np.pad([[0, 0], [1, 0], [0, 2], [0, 0]], [(0, 0), (0, 2)]).astype("<i4")
                  .tobytes(), flag=0)  # fmt: skip
    y = activation("y", "uint8", 0.02, 7, (1, 4, 6, 5))
    found = run_fixed(read_vendor(write_fixed(tmp_path, 34, [a, pads], [y])), x)[0]
    np.testing.assert_array_equal(found, np.pad(x, [(0, 0), (1, 0), (0, 2), (0, 0)], constant_values=7))
    outer = Tensor("outer", (4, 2), "int32", raw=pads.raw, flag=0)
    inner = Tensor("inner", (4,), "int32", np.array([0, 1, 2, 0]), flag=0)
    y = activation("y", "uint8", 0.02, 7, (1, 6, 12, 5))
    found = run_fixed(read_vendor(write_fixed(tmp_path, "Dilation", [a, outer, inner], [y])), x)[0]
    expected = np.full((1, 6, 12, 5), 7, np.uint8)
    expected[:, 1::2, :10:3] = x
    np.testing.assert_array_equal(found, expected)
    shape = Tensor("shape", (2,), "int32", np.array([4, 15]), flag=0)
    y = activation("y", "uint8", 0.02, 7, (4, 15))
    found = run_fixed(read_vendor(write_fixed(tmp_path, 22, [a, shape], [y])), x)[0]
    np.testing.assert_array_equal(found, x.reshape(4, 15))
    y = activation("y", "uint8", 0.02, 7, (1, 3, 8, 5))
    found = run_fixed(read_vendor(write_fixed(tmp_path, 2, [a, activation("b", "uint8", 0.02, 7)], [y],
                                              {0: ("i32", 2)})), x, x)[0]  # fmt: skip
    np.testing.assert_array_equal(found, np.concatenate([x, x], 2))


def test_pools_and_means_are_floors(tmp_path: Path) -> None:
    x = draw("uint8", (1, 4, 6, 5))
    window: Options = {0: ("i8", 1), 1: ("i32", 3), 2: ("i32", 2), 3: ("i32", 3), 4: ("i32", 2)}
    cells = x.reshape(1, 2, 2, 2, 3, 5).astype(int)
    a, y = activation("a", "uint8", 0.02, 7, x.shape), activation("y", "uint8", 0.02, 7, (1, 2, 2, 5))
    found = run_fixed(read_vendor(write_fixed(tmp_path, 1, [a], [y], window)), x)[0]
    np.testing.assert_array_equal(found, cells.sum(axis=(2, 4)) // 6)
    found = run_fixed(read_vendor(write_fixed(tmp_path, 17, [a], [y], window)), x)[0]
    np.testing.assert_array_equal(found, cells.max(axis=(2, 4)))
    axes = Tensor("axes", (2,), "int32", np.array([1, 2]), flag=0)
    y = activation("y", "uint8", 0.02, 7, (1, 1, 1, 5))
    found = run_fixed(read_vendor(write_fixed(tmp_path, 40, [a, axes], [y])), x)[0]
    np.testing.assert_array_equal(found, x.astype(int).sum(axis=(1, 2), keepdims=True) // 24)


@pytest.mark.parametrize(("code", "function"), [(28, np.tanh), (101, np.abs), (47, np.exp)])
def test_what_has_no_kernel_runs_on_the_real_values(code: int, function: object, tmp_path: Path) -> None:
    a, y = activation("a", "uint8", 0.02, 128), activation("y", "int16", 0.0005)
    x = draw("uint8")
    found = run_fixed(read_vendor(write_fixed(tmp_path, code, [a], [y])), x)[0]
    real = function((x.astype(np.float64) - 128) * np.float32(0.02))  # type: ignore[operator]
    expected = np.clip(np.floor(real / np.float32(0.0005) + 0.5), -32768, 32767)
    assert np.abs(found - expected).max() <= 1  # float32 against float64 at a tie
    assert (found == expected).mean() > 0.95


def test_a_maximum_of_different_scales_runs_on_the_real_values(tmp_path: Path) -> None:
    a, b, y = activation("a", "uint8", 0.02), activation("b", "int16", 0.0005), activation("y", "int16", 0.0004)
    p, q = draw("uint8"), draw("int16")
    found = run_fixed(read_vendor(write_fixed(tmp_path, 55, [a, b], [y])), p, q)[0]
    real = np.maximum(p * np.float32(0.02), q * np.float32(0.0005))
    assert np.abs(found - np.clip(np.floor(real / np.float32(0.0004) + 0.5), -32768, 32767)).max() <= 1


def test_odd_channels_asymmetric_pads_and_a_fourth_channel(tmp_path: Path) -> None:
    """A first convolution of a BGRA image into 5 channels, against Python integers."""
    w = RANDOM.integers(-127, 128, (5, 2, 2, 3)).astype(np.int8)
    raw = b"".join(w[:, i, j].tobytes().ljust(32, b"\0") for i in range(2) for j in range(2))
    parameters = np.zeros((2, 8), np.int16)  # rows of 5 values are padded to 16 bytes
    parameters[:, :5] = np.stack([RANDOM.integers(-500, 500, 5), RANDOM.integers(16384, 32767, 5)])
    tensors = [
        activation("x", "uint8", 0.0078, 128, (1, 4, 5, 3)),
        Tensor("w", w.shape, "int8", raw=raw, scale=[0.01] * 5, zero=[0] * 5, ddr=10, flag=0),
        Tensor("b", (2, 5), "int16", raw=parameters.tobytes(), flag=0),
        activation("y", "uint8", 0.02, 9, (1, 3, 3, 5)),
    ]
    pads = {6: ("i32", 1), 7: ("i32", 0), 8: ("i32", 1), 9: ("i32", 2)}  # left right top bottom
    tiles = {10: ("i32", 3), 11: ("i32", 3), 12: ("i32", 5), 13: ("i32", 5)}
    shifts = {35: ("i32", 3), 37: ("i32", 18)}
    options: Options = {0: ("i8", 2), 1: ("i32", 2), 2: ("i32", 2), 3: ("i8", 1), **pads, **tiles, **shifts}
    matrix = [0, 0, 1024, 0, 1000, 0, 1024, 0, 0, 256, 257, 258]  # the board has blue first; offsets blue, green, red
    sim = Sim(tensors, [Operator(3, [0, 1, 2], [3], options)], [0], [3], FIXED, (4,), matrix)
    (tmp_path / "first.sim").write_bytes(write_sim(sim))
    model = read_vendor(tmp_path / "first.sim")
    assert model.inputs[0].input_format == "BGRA"
    pixels = draw("uint8", (1, 4, 5, 4))
    found = run_fixed(model, pixels)[0]
    board = pixels[0, :, :, :3].astype(int)
    image = np.stack([board[..., 2] + 2, (board[..., 1] * 1000 + 512 >> 10) + 1, board[..., 0]], axis=-1)
    padded = np.pad(np.clip(image, 0, 255), [(1, 2), (1, 0), (0, 0)], constant_values=128)
    for i, j, c in np.ndindex(3, 3, 5):
        total = int((padded[2 * i : 2 * i + 2, 2 * j : 2 * j + 2] * w[c].astype(int)).sum())
        away = (abs(total) + 4 >> 3) * (1 if total >= 0 else -1)
        value = half_up((away + int(parameters[0, c])) * int(parameters[1, c]), 18)
        assert found[0, i, j, c] == min(max(value, 9), 255)


def test_an_input_format_that_is_not_known_is_refused(tmp_path: Path) -> None:
    tensors = [activation("x", "uint8", 0.1, 0, (1, 2, 2, 3)), activation("y", "uint8", 0.1, 0, (1, 2, 2, 3))]
    sim = Sim(tensors, [Operator(19, [0], [1])], description=FIXED, formats=(7,))
    (tmp_path / "format.sim").write_bytes(write_sim(sim))
    with pytest.raises(UnsupportedOp, match="input 'x': format number 7"):
        read_vendor(tmp_path / "format.sim")


def test_scales_that_no_shift_expresses_are_refused(tmp_path: Path) -> None:
    path = write_fixed(tmp_path, 19, [activation("x", "int16", 1e30)], [activation("y", "int16", 1e-30)])
    with pytest.raises(ModelError, match=r"RELU \(operator 0\): the scales of its tensors have the ratio inf"):
        read_vendor(path)
