"""Whatever the bytes: a reader or an IpuDebugError, within bounded memory; and what is written is read again."""

from __future__ import annotations

import random
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ipudebug import DumpReader, IpuDebugError, Layout, QuantParams, Tensor, TensorInfo, open_dump, write_dump
from ipudebug.dumps.writer import DIALECTS
from tests.dumps.records import dump, floats, header, record

MEMORY = 8 << 20

text = st.text(st.characters(exclude_characters="\n", exclude_categories=("Cs",)), max_size=30)
dtypes = st.sampled_from(["f4", "f8", "f2", "u1", "i1", "i2", "i4", "i8", ">f4", ">i2", "?"]).map(np.dtype)


@st.composite
def tensors(draw: st.DrawFn, of: st.SearchStrategy[np.dtype] = dtypes) -> Tensor:
    shape = tuple(draw(st.lists(st.integers(0, 4), max_size=6)))
    dtype = draw(of)
    data = draw(st.binary(min_size=int(np.prod(shape)) * dtype.itemsize, max_size=int(np.prod(shape)) * dtype.itemsize))
    if dtype.kind == "b":
        data = bytes(byte & 1 for byte in data)
    info = TensorInfo(
        draw(text), shape, dtype, None, draw(st.sampled_from([None, *Layout])), draw(text),
        draw(st.integers(0, 3)), draw(st.integers(0, 3)), draw(st.sampled_from(["out", "in"])), draw(st.booleans()),
    )  # fmt: skip
    return Tensor(info, np.frombuffer(data, dtype).reshape(shape))


@settings(deadline=None)
@given(st.lists(tensors(), max_size=5), st.sampled_from(sorted(DIALECTS)))
def test_float_dumps_are_read_as_they_were_written(written: list[Tensor], dialect: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "dump.bin")
        assert write_dump(path, written, dialect) == [each.info for each in written]  # type: ignore[arg-type]
        reader = open_dump(path)
        assert reader.is_float
        assert reader.notes == ()
        assert len(reader.infos) == len(written)
        for number, each in enumerate(written):
            check_info(reader.infos[number], each.info, DIALECTS[dialect].with_shape)
            with np.errstate(over="ignore"):
                wanted = each.array.astype(np.float32)
            assert reader.read(number).array.tobytes() == wanted.tobytes()


@settings(deadline=None)
@given(st.lists(tensors(st.sampled_from(["u1", "i1", "<i2", "<i4", "<i8", "?"]).map(np.dtype)), min_size=1, max_size=5))
def test_raw_dumps_are_read_as_they_were_written(written: list[Tensor]) -> None:
    quant = QuantParams((0.5,), (3,))
    first = written[0]
    info = TensorInfo(first.info.name, first.info.shape, first.info.dtype, quant)
    written = [Tensor(info, first.array), *written[1:]]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "dump.bin")
        write_dump(path, written)
        reader = open_dump(path)
        assert not reader.is_float
        for number, each in enumerate(written):
            found = reader.read(number).array
            check_info(reader.infos[number], each.info, with_shape=True)
            assert (found.dtype, found.tobytes()) == (each.info.dtype, each.array.tobytes())


def check_info(found: TensorInfo, wanted: TensorInfo, with_shape: bool) -> None:
    for field in ("name", "op_type", "op_index", "port", "role", "constant"):
        assert getattr(found, field) == getattr(wanted, field)
    assert found.shape == (wanted.shape if with_shape else (wanted.size,))
    assert found.layout is (Layout.NHWC if with_shape and len(found.shape) == 4 else None)


VALUES = b"\n" + b"0.500000, " * 17 + b"\n"
VALID = [
    dump(record(floats(1, 2), b"a"), record(floats(3), b"b", shape="[1, 1] dims:2"), record(b"", b"c", end=b"")),
    dump(record(b"\1\2", b"a", type_name=b"SGS_S16"), record(b"abc", type_name=b"SGS_U8"), is_float=0),
    dump(header(b"a") + VALUES + b"\n};\n", header(b"b", shape="[17] dims:1", size=68) + VALUES + b"\n}\n"),
    dump(header(type_name=b"SGS_S16") + b"     1,      2, \n\n};\n", is_float=0),
    dump(header(type_name=b"SGS_S32") + b"         7, \n\n};\n", is_float=0),
]
PIECES = [
    b"isFloat: 1\n", b"isFloat: 0\n", b"//in ", b"//out ", b" name: ", b" bConstant:", b" shape:[", b"] dims:", b"\n",
    b"//buffer data size: ", b"};", b"}", b"= {\n", b", ", b"-1", b"0", b"4", b"99999999999999999999", b"nan", b"1e999",
    b"\0", b"\xff", b"\r", b" type: SGS_S64", b",", b"1_1", b"0x1",
]  # fmt: skip


def read_everything(content: bytes, folder: Path) -> None:
    """Open a file and load each tensor both ways; IpuDebugErrors are expected, anything else is not."""
    path = folder / "any.bin"
    path.write_bytes(content)
    try:
        reader = open_dump(path)
    except IpuDebugError as error:
        assert error.message  # noqa: PT017 - both outcomes are right
        return
    for number in range(len(reader.infos)):
        read_tensor(reader, number)


def read_tensor(reader: DumpReader, number: int) -> None:
    """Load one tensor both ways."""
    info = reader.infos[number]
    try:
        array = reader.read(number).array
    except IpuDebugError as error:
        assert error.message  # noqa: PT017
        return
    assert (array.shape, array.dtype) == (info.shape, info.dtype)
    if info.dtype.kind != "V":
        out = np.empty(info.size)
        reader.read(number).copy_into(out, 0)
        with np.errstate(invalid="ignore"):
            assert np.array_equal(out, array.reshape(-1).astype(np.float64), equal_nan=True)


def mutate(content: bytes, seed: int) -> bytes:
    """Return a dump with some of its bytes replaced, dropped, doubled or swapped for words of the grammar."""
    chance = random.Random(seed)
    changed = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(changed) + 1)
        stop = min(len(changed), start + chance.choice([0, 1, 1, 2, 5, 30]))
        changed[start:stop] = chance.choice(
            [b"", changed[start:stop] * 2, chance.randbytes(stop - start), chance.choice(PIECES)]
        )
    return bytes(changed)


@pytest.mark.parametrize("number", range(len(VALID)))
def test_the_dumps_that_are_mutated_below_are_valid(number: int, tmp_path: Path) -> None:
    (tmp_path / "valid.bin").write_bytes(VALID[number])
    reader = open_dump(tmp_path / "valid.bin")
    assert reader.infos
    assert all(reader.read(each).array.size == info.size for each, info in enumerate(reader.infos))


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(VALID), st.integers(0, 1 << 32))
def test_a_mutated_dump_is_read_or_refused(content: bytes, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        read_everything(mutate(content, seed), Path(folder))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join), st.booleans())
@example(b"", True)
def test_any_bytes_are_read_or_refused(content: bytes, begins: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        read_everything(b"isFloat: 1\n" * begins + content, Path(folder))


HUGE = [b"99999999999999999999", b"4294967295", b"1073741824", b"9223372036854775807", b"1000000"]


@pytest.mark.parametrize("huge", HUGE)
@pytest.mark.parametrize("place", ["size", "dim", "dims", "empty", "port", "index", "scale", "zero"])
def test_no_number_in_a_header_costs_memory(huge: bytes, place: str, tmp_path: Path) -> None:
    number = huge.decode()
    content = {
        "size": record(b"\0" * 999, size=number),
        "dim": record(b"\0" * 8, shape=f"[{number}, {number}] dims:2"),
        "dims": record(b"\0" * 8, shape=f"[2] dims:{number}"),
        "empty": record(b"", shape=f"[0, {number}] dims:2"),
        "port": record(b"\0" * 8).replace(b"//out 0", b"//out " + huge),
        "index": record(b"\0" * 8).replace(b"op_out[0]", b"op_out[" + huge + b"]"),
        "scale": record(b"\0" * 8, scale=huge * 10),
        "zero": record(b"\0" * 8, zero=huge * 9),
    }[place]
    for is_text in (False, True):
        values = header(size=number, shape=f"[{number}] dims:1") + VALUES + b"\n}\n" if is_text else content
        tracemalloc.start()
        read_everything(dump(values), tmp_path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < MEMORY


def test_mutated_dumps_stay_within_bounded_memory(tmp_path: Path) -> None:
    tracemalloc.start()
    for seed in range(300):
        content = VALID[seed % len(VALID)]
        read_everything(mutate(content + content[len(b"isFloat: 1\n") :] * (seed % 7), seed), tmp_path)
    read_everything(b"isFloat: 1\n" + header() + b"1," * 2500 + b"1" * 5000 + b"\n};\n", tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MEMORY
