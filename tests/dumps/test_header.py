"""The header lines: what is the name, what the op type, and back to the same bytes."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipudebug import Layout, QuantParams, TensorInfo
from ipudebug.dumps.block import BlockDump
from ipudebug.dumps.header import HEADER0, HEADER1, SIZE, header_of, parse_header, parse_shape, show
from ipudebug.errors import CorruptDump
from tests.dumps.records import dump, floats, header, open_bytes, record

NAMES = [
    b"",
    b" ",
    b"x" * 300,
    b"y" * 100_000,
    b"/model.0/conv/Conv_output_0",
    b"../../etc/passwd",
    b"..",
    b"a\0b\x1b[31mred\x07",
    b"a\rb\tc\x0b\x0c\x85",
    b"\xff\xfe\x80 latin-1: \xe9",
    "grün/層/💡\u2028".encode(),
    b"a name: b",
    b" name: ",
    b"a bConstant:1",
    b"a bConstant:1 shape:[1] dims:1",
    b"a shape:[1] dims:1",
    b" bConstant:0",
    b"{",
    b"};",
    b"a = {",
    b"//in 0 s: 0.000000 z: 0 type: float name: x bConstant:0",
    b"//buffer data size: 12",
    b"op_out[3] CONV_2D = {",
    b"isFloat: 1",
    b"a] b",
]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name[:30]))
@pytest.mark.parametrize("shape", ["", "[2] dims:1"])
def test_a_name_is_kept_as_it_is(name: bytes, shape: str, tmp_path: Path) -> None:
    content = dump(record(floats(1, 2), name, shape=shape, constant=b"1"), record(floats(3), b"next"))
    reader = open_bytes(tmp_path, content)
    assert isinstance(reader, BlockDump)
    assert [info.name.encode("utf-8", "surrogateescape") for info in reader.infos] == [name, b"next"]
    assert reader.infos[0].constant
    assert reader.infos[0].shape == (2,)
    assert reader.header(0).lines(with_shape=bool(shape)) == header(name, shape=shape, constant=b"1")


@pytest.mark.parametrize("op", NAMES, ids=lambda name: repr(name[:30]))
def test_an_op_type_is_kept_as_it_is(op: bytes, tmp_path: Path) -> None:
    reader = open_bytes(tmp_path, dump(record(floats(1), op=op, index=7, port=3, role=b"in")))
    assert isinstance(reader, BlockDump)
    (info,) = reader.infos
    assert info.op_type.encode("utf-8", "surrogateescape") == op
    assert (info.op_index, info.port, info.role) == (7, 3, "in")
    assert reader.header(0).lines(with_shape=False) == header(op=op, index=7, port=3, role=b"in")


def test_scale_and_zero_point_are_shown_but_never_taken(tmp_path: Path) -> None:
    for scale, zero in ((b"0.007843", b"128"), (b"-nan", b"-9"), (b"1e-5", b"0"), (b"9" * 300 + b".000000", b"7")):
        reader = open_bytes(tmp_path, dump(record(floats(1), scale=scale, zero=zero, type_name=b"SGS S16")))
        assert isinstance(reader, BlockDump)
        assert reader.infos[0].quant is None
        found = reader.header(0)
        assert (found.scale, found.zero_point, found.type_name) == (scale.decode(), zero.decode(), "SGS S16")
        assert found.lines(with_shape=False) == header(scale=scale, zero=zero, type_name=b"SGS S16")


@pytest.mark.parametrize(
    ("fields", "is_float", "line"),
    [
        ({}, True, "//out 0 s: 0.000000 z: 0 type: float name: x bConstant:0 shape:[2, 3] dims:2"),
        (
            {"quant": QuantParams((0.0000004, 2.0), (-5, 1), 1), "dtype": np.dtype("i1"), "role": "in", "port": 2},
            False,
            "//in 2 s: 0.000000 z: -5 type: SGS_S8 name: x bConstant:0 shape:[2, 3] dims:2",
        ),
        (
            {"quant": QuantParams((0.125,), (128,)), "dtype": np.dtype("u1"), "constant": True},
            True,
            "//out 0 s: 0.125000 z: 128 type: float name: x bConstant:1 shape:[2, 3] dims:2",
        ),
        (
            {"quant": QuantParams((), ()), "dtype": np.dtype(">i4")},
            False,
            "//out 0 s: 0.000000 z: 0 type: SGS_S32 name: x bConstant:0 shape:[2, 3] dims:2",
        ),
        (
            {"dtype": np.dtype("u2")},
            False,
            "//out 0 s: 0.000000 z: 0 type: unknown name: x bConstant:0 shape:[2, 3] dims:2",
        ),
    ],
)
def test_a_header_is_made_from_what_is_known(fields: dict[str, object], is_float: bool, line: str) -> None:
    info = replace(TensorInfo("x", (2, 3), np.dtype("f4"), op_type="ADD", op_index=4), **fields)  # type: ignore[arg-type]
    lines = header_of(info, is_float=is_float).lines(with_shape=True).decode()
    assert lines == f"{line}\nop_{info.role}[4] ADD = {{\n"


line_text = st.text(st.characters(exclude_characters="\n", exclude_categories=("Cs",)))


@settings(deadline=None)
@given(
    info=st.builds(
        TensorInfo,
        name=line_text,
        shape=st.lists(st.integers(0, 9), max_size=8).map(tuple),
        dtype=st.just(np.dtype("<f4")),
        op_type=line_text,
        op_index=st.integers(0, 999_999_999),
        port=st.integers(0, 999_999_999),
        role=st.sampled_from(["in", "out"]),
        constant=st.booleans(),
    ),
    with_shape=st.booleans(),
)
def test_what_a_header_says_is_read_again(info: TensorInfo, with_shape: bool) -> None:
    lines = header_of(info, is_float=True).lines(with_shape=with_shape)
    match = re.match(HEADER0 + HEADER1, lines)
    assert match is not None
    assert match.end() == len(lines)
    layout = Layout.NHWC if with_shape and len(info.shape) == 4 else None
    found = parse_header(match, is_float=True).info
    assert found == replace(info, layout=layout, shape=info.shape if with_shape else ())


@pytest.mark.parametrize(
    "line",
    [
        b"//out 0 s: 0 z: 0 type: " + b" name: " * 30_000,
        b"//out 0 s: 0 z: 0 type: " + b" name: " * 10_000 + b" bConstant:0" * 10_000,
        b"//out 0 s: 0 z: 0 type: x name: x bConstant:0" + b" " * 200_000,
        b"//out 0 s: 0 z: 0 type: x name: x bConstant:0 shape:[" + b"1, " * 70_000,
        b"//out 0 s: 0 z: 0 type: x name: x bConstant:0\nop_out[0] " + b" = {" * 50_000,
        b"\n" * 100_000 + b"};" + b" " * 100_000,
        b"//buffer data size: 1\n" * 9_000,
    ],
    ids=lambda line: repr(line[24:40]),
)
def test_no_line_takes_long_to_refuse(line: bytes, tmp_path: Path) -> None:
    start = time.process_time()
    with pytest.raises(CorruptDump):
        open_bytes(tmp_path, dump(record(floats(1))) + line + b"!\n")
    assert time.process_time() - start < 2  # a quadratic pattern takes minutes


def test_a_size_line_is_decimal_and_of_at_most_20_digits() -> None:
    for text, size in ((b"0", 0), (b"007", 7), (b"9" * 20, 10**20 - 1)):
        match = re.match(SIZE, b"//buffer data size: " + text + b"\n")
        assert match is not None
        assert int(match["size"]) == size
    for text in (b"", b"-1", b"+1", b"0x1", b"1.0", b" 1", b"9" * 21, "\uff11".encode()):
        assert not re.match(SIZE, b"//buffer data size: " + text + b"\n")


def test_a_shape_is_as_many_sizes_as_it_says() -> None:
    assert parse_shape(b"", b"0") == ()
    assert parse_shape(b" ", b"0") == ()
    assert parse_shape(b"1, 2,3", b"3") == (1, 2, 3)
    assert parse_shape(None, None) is None
    wrong = ((b"", b"1"), (b"1", b"0"), (b"1,", b"2"), (b"1 2", b"1"), (b"-", b"1"), (b"--1", b"1"), (b"-1", b"1"))
    for text, dims in wrong:
        with pytest.raises(CorruptDump):
            parse_shape(text, dims)


def test_a_name_is_shown_short_and_harmless() -> None:
    assert show(b"a/b") == show("a/b") == "a/b"
    assert show(b"n" * 81) == "n" * 77 + "..."
    assert show("é".encode() * 80) == "é" * 80
    assert show(b"\x1b[2J\0\xff\n") == show("\x1b[2J\0\udcff\n") == "�[2J���"
