"""What is said about two buffers that were made different on purpose, by numpy and by the server's faults."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipudebug.board.agreement import Cause, Difference, find_difference, find_fact_changes, read_elements
from ipudebug.board.faults import SWITCHES, Faults, parse_faults
from ipudebug.board.protocol import PortFacts
from ipudebug.errors import BoardError

SHAPE = (1, 5, 4, 6)


def make_port(dtype: str, shape: tuple[int, ...] = SHAPE) -> PortFacts:
    """Return the facts of an output whose rows are filled up to 16 bytes."""
    size = np.dtype(dtype).itemsize
    step = 16 // size
    aligned = -(-shape[-1] // step) * step if shape else 1
    return PortFacts("y", dtype, shape, math.prod(shape[:-1]) * aligned * size)


def pack(values: np.ndarray, port: PortFacts) -> bytes:
    """Return the buffer of an array, row by row in plain Python."""
    if not port.shape:
        return values.tobytes()
    rows = values.reshape(-1, port.shape[-1])
    width = port.size // len(rows)
    return b"".join(row.tobytes().ljust(width, b"\0") for row in rows)


def make_values(dtype: str, seed: int = 0, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    random = np.random.default_rng(seed)
    if dtype.startswith("float"):
        return random.standard_normal(shape).astype(dtype)
    limits = np.iinfo(dtype)
    return random.integers(limits.min, limits.max, shape, dtype, endpoint=True)


def explain(port: PortFacts, wanted: np.ndarray, board: bytes, before: bytes | None = None) -> Difference:
    found = find_difference(port, pack(wanted, port), board, before)
    assert found is not None
    return found


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
@pytest.mark.parametrize("shape", [SHAPE, (1, 10), (7,), (), (1, 1, 1, 16)])
def test_equal_elements_are_equal_whatever_fills_the_rows_up(dtype: str, shape: tuple[int, ...]) -> None:
    port, values = make_port(dtype, shape), make_values(dtype, shape=shape)
    buffer = bytearray(pack(values, port))
    assert find_difference(port, bytes(buffer), bytes(buffer)) is None
    np.testing.assert_array_equal(read_elements(bytes(buffer), port), values)
    if shape and shape[-1] * values.itemsize % 16:
        buffer[-1] ^= 0xFF
        assert find_difference(port, pack(values, port), bytes(buffer)) is None


def test_nan_is_nan() -> None:
    port = make_port("float32", (4,))
    values = np.array([1, np.nan, 2, 3], np.float32)
    assert find_difference(port, pack(values, port), pack(values, port)) is None
    other = explain(port, values, pack(np.array([1, 2, 2, 3], np.float32), port))
    assert (other.count, other.first) == (1, (1,))


@pytest.mark.parametrize("dtype", ["uint8", "int16"])
def test_each_cause_is_named(dtype: str) -> None:
    port, values = make_port(dtype), make_values(dtype)
    assert explain(port, values, bytes(port.size)).cause is Cause.ZERO
    assert explain(port, values, pack(make_values(dtype, 1), port)).cause is Cause.VALUES
    assert (
        explain(port, values, pack(make_values(dtype, 1), port), pack(make_values(dtype, 1), port)).cause is Cause.STALE
    )
    assert explain(port, values, values.tobytes().ljust(port.size, b"\0")).cause is Cause.STRIDE
    nchw = np.ascontiguousarray(values.transpose(0, 3, 1, 2))
    assert explain(port, values, nchw.tobytes().ljust(port.size, b"\0")).cause is Cause.LAYOUT
    assert explain(port, values, pack(nchw.reshape(SHAPE), port)).cause is Cause.LAYOUT
    top = np.array(1 << (8 * values.itemsize - 1)).astype(f"u{values.itemsize}").view(dtype)
    assert explain(port, values, pack(values ^ top, port)).cause is Cause.SIGN
    order = (2, 0, 1, 3, 5, 4)
    swapped = explain(port, values, pack(values[..., list(order)], port))
    assert (swapped.cause, swapped.order) == (Cause.CHANNELS, order)
    if dtype == "int16":
        assert explain(port, values, pack(values.byteswap(), port)).cause is Cause.BYTE_ORDER


def test_the_numbers_are_those_of_the_elements() -> None:
    port, values = make_port("uint8"), np.full(SHAPE, 100, np.uint8)
    other = values.copy()
    other[0, 1, 2, 3], other[0, 4, 3, 5] = 90, 255
    found = explain(port, values, pack(other, port))
    assert found == Difference("y", Cause.VALUES, 2, 120, 155.0, (0, 1, 2, 3))
    other[0, 1, 2, 3], other[0, 4, 3, 5] = 99, 101
    assert explain(port, values, pack(other, port)).cause is Cause.ROUNDING
    assert explain(make_port("uint8", ()), np.array(7, np.uint8), b"\x08").first == ()


@given(st.permutations(range(6)))
def test_channels_that_are_alike_are_not_exchanged(order: list[int]) -> None:
    port = make_port("uint8", (1, 2, 1, 6))
    values = np.array([[1, 2], [1, 2], [3, 4], [5, 6], [5, 6], [7, 8]], np.uint8).T.reshape(1, 2, 1, 6)
    moved = values[..., order]
    found = find_difference(port, pack(values, port), pack(moved, port))
    if found is None:
        np.testing.assert_array_equal(moved, values)
    elif found.order:
        assert sorted(found.order) == list(range(6))
        np.testing.assert_array_equal(values[..., list(found.order)], moved)


WANTED = {
    "stale": Cause.ZERO,
    "swap-channels": Cause.CHANNELS,
    "noise": Cause.ROUNDING,
    "unaligned": Cause.STRIDE,
}


@pytest.mark.parametrize("dtype", ["uint8", "int16"])
@pytest.mark.parametrize("name", WANTED)
def test_the_faults_of_a_server_are_found(name: str, dtype: str) -> None:
    port, values = make_port(dtype), make_values(dtype)
    clean = pack(values, port)
    (spoilt,) = parse_faults([name]).spoil([clean], None, [port])
    assert len(spoilt) == len(clean)
    assert explain(port, values, spoilt).cause is WANTED[name]


def test_a_stale_output_is_that_of_the_run_before() -> None:
    port, first, second = make_port("uint8"), make_values("uint8", 1), make_values("uint8", 2)
    (spoilt,) = parse_faults(["stale"]).spoil([pack(second, port)], [pack(first, port)], [port])
    assert explain(port, second, spoilt, pack(first, port)).cause is Cause.STALE


def test_without_faults_nothing_changes() -> None:
    port, values = make_port("int16"), make_values("int16")
    data = pack(values, port)
    assert Faults().spoil([data], None, [port]) == [data]


def test_faults_are_read() -> None:
    assert parse_faults(["delay=0.5", "drop=1000", *SWITCHES]) == Faults(0.5, 1000, frozenset(SWITCHES))
    for text in ("dance", "delay", "delay=", "delay=-1", "delay=nan", "drop=x", "noise=3", ""):
        with pytest.raises(BoardError, match="--fault"):
            parse_faults([text])


def test_facts_that_differ_are_listed() -> None:
    ours = [PortFacts("y", "uint8", (1, 4), 16, 0.5, 3)]
    assert find_fact_changes(ours, ours) == []
    theirs = [PortFacts("y", "int16", (1, 4), 15, 0.5, 4)]
    assert find_fact_changes(ours, theirs) == [
        ("y", "dtype", "uint8", "int16"), ("y", "size", "16", "15"), ("y", "zero_point", "3", "4"),
    ]  # fmt: skip
    assert find_fact_changes(ours, []) == [("model", "number", "1", "0")]
