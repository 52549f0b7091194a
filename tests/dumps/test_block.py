"""The binary dump: what the tolerant reader takes, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ipudebug import Layout, open_dump, write_dump
from ipudebug.dumps import block
from ipudebug.dumps.block import BlockDump
from ipudebug.dumps.writer import DIALECTS
from ipudebug.errors import TruncatedDump
from tests.dumps.malformed import MALFORMED, Malformed
from tests.dumps.records import END, dump, floats, header, names, open_bytes, payloads, record, tensor

ENDS = [b"\n};\n", b"};\n", b"\n}\n", b"", b"\r\n};\r\n", b"\n};\n\n\n", b"\n\n};\n"]
SIBLING = b"//buffer data size: 4\n"


@pytest.mark.parametrize("case", MALFORMED, ids=lambda case: case.what)
def test_a_malformed_dump_is_refused_with_the_place_and_what_was_expected(case: Malformed, tmp_path: Path) -> None:
    path = tmp_path / "test.bin"
    path.write_bytes(case.content)
    with pytest.raises(case.error) as raised:
        open_dump(path)
    assert type(raised.value) is case.error
    assert raised.value.message.replace(str(path), "PATH") == case.message
    assert raised.value.hint


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_dump_cut_at_any_byte_gives_fewer_records_or_says_so(dialect: str, tmp_path: Path) -> None:
    arrays = [np.arange(n, dtype=np.float32) for n in (3, 0, 1, 2)]
    tensors = [
        tensor(array, f"t {n}", op_type="A B", op_index=n // 2, port=n % 2, role="in" if n == 0 else "out")
        for n, array in enumerate(arrays)
    ]
    write_dump(tmp_path / "whole.bin", tensors, dialect)  # type: ignore[arg-type]
    whole = (tmp_path / "whole.bin").read_bytes()
    infos, data = open_dump(tmp_path / "whole.bin").infos, [array.tobytes() for array in arrays]
    assert payloads(open_dump(tmp_path / "whole.bin")) == data
    found = set()
    for length in range(1, len(whole)):
        try:
            reader = open_bytes(tmp_path, whole[:length])
        except TruncatedDump:
            continue
        count = len(reader.infos)
        assert reader.infos == infos[:count]
        assert payloads(reader) == data[:count]
        found.add(count)
    assert found == {0, 1, 2, 3, 4} - ({4} if not DIALECTS[dialect].terminator else set())


@pytest.mark.parametrize(
    "payload",
    [
        b"\n};\n",
        b"};};",
        b"}\n}\n",
        SIBLING + b"\n\n",
        b"isFloat: 1\n\n",
        b"\n};\n" + record(floats(1.0), b"fake") + b"\n",
        b"//in 0 s: 0.000000 z: 0 type: float name: ",
        b"1.000000, 2.000000, ",
        b"\n//out 0 s\n",
    ],
)
@pytest.mark.parametrize("end", ENDS)
def test_a_payload_may_hold_anything(payload: bytes, end: bytes, tmp_path: Path) -> None:
    payload += b"\0" * (-len(payload) % 4)
    content = dump(record(floats(7), b"a", end=end), record(payload, b"b", end=end), record(floats(8), b"c", end=end))
    reader = open_bytes(tmp_path, content)
    assert names(reader) == ["a", "b", "c"]
    assert payloads(reader) == [floats(7), payload, floats(8)]
    assert reader.notes == ()


def test_terminators_blank_lines_and_repeated_sizes_may_be_mixed(tmp_path: Path) -> None:
    between = [*ENDS, *(end + SIBLING for end in ENDS[:3]), SIBLING + b"};\n", b"\n};\n" + SIBLING * 3 + b"\r\n \t\n"]
    content = dump(*(record(floats(n), b"t%d" % n, end=end) for n, end in enumerate(between)), record(floats(99)))
    reader = open_bytes(tmp_path, content)
    assert payloads(reader) == [floats(n) for n in (*range(len(between)), 99)]
    assert reader.notes == ()


@pytest.mark.parametrize("end", [*ENDS, b"\n", b"\n}", b"\n};", b"}"])
def test_the_last_terminator_may_be_missing_or_cut(end: bytes, tmp_path: Path) -> None:
    assert payloads(open_bytes(tmp_path, dump(record(floats(1, 2)), record(floats(3), end=end)))) == [
        floats(1, 2),
        floats(3),
    ]


def test_a_size_repeated_at_the_end_is_noted(tmp_path: Path) -> None:
    reader = open_bytes(tmp_path, dump(record(floats(1))) + SIBLING)
    assert payloads(reader) == [floats(1)]
    assert reader.notes == ("ends with a repeated size line: records behind it may have been cut off",)


def test_header_lines_may_end_in_crlf_while_payloads_stay(tmp_path: Path) -> None:
    payload = b"\r\n\n\r" * 3
    lines = header(b"a\xc3\xa9", size=12, shape="[3] dims:1").replace(b"\n", b"\r\n")
    reader = open_bytes(tmp_path, b"isFloat: 1\r\n" + lines + payload + b"\r\n};\r\n" + lines + payload)
    assert names(reader) == ["aé", "aé"]
    assert payloads(reader) == [payload] * 2


def test_an_empty_dump_has_no_records(tmp_path: Path) -> None:
    for line in (b"isFloat: 1\n", b"isFloat: 0\n", b"isFloat: 1 \t\r\n", b"isFloat: 1\n\n \n"):
        reader = open_bytes(tmp_path, line)
        assert (reader.infos, reader.is_float, reader.notes) == ((), line[9:10] == b"1", ())


@pytest.mark.parametrize(
    ("type_name", "is_float", "dtype"),
    [
        (b"float", 1, "<f4"),
        (b"SGS_S32", 1, "<f4"),
        (b"some thing", 1, "<f4"),
        (b"", 1, "<f4"),
        (b"float", 0, "<f4"),
        (b"SGS_U8", 0, "u1"),
        (b"SGS_S8", 0, "i1"),
        (b"SGS_S16", 0, "<i2"),
        (b"SGS_S32", 0, "<i4"),
        (b"SGS_S64", 0, "<i8"),
        (b"SGS_BOOL", 0, "?"),
        (b"SGS_S4", 0, "V1"),
        (b"unknown", 0, "V1"),
    ],
)
def test_the_type_counts_in_raw_dumps_only(type_name: bytes, is_float: int, dtype: str, tmp_path: Path) -> None:
    payload = b"\1\0\0\0\0\0\0\0"
    reader = open_bytes(tmp_path, dump(record(payload, type_name=type_name), is_float=is_float))
    assert reader.infos[0].dtype == np.dtype(dtype)
    assert payloads(reader) == [payload]
    assert reader.read(0).array.shape == reader.infos[0].shape == (8 // np.dtype(dtype).itemsize,)
    if type_name in (b"SGS_S4", b"unknown"):  # who knows how many bits an element has
        for shape in ("[1, 2, 2, 1] dims:4", "[4, 4] dims:2"):
            reader = open_bytes(tmp_path, dump(record(payload, type_name=type_name, shape=shape), is_float=0))
            assert (reader.infos[0].shape, reader.infos[0].layout, payloads(reader)) == ((8,), None, [payload])


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [
        ("[] dims:0", ()),
        ("[0] dims:1", (0,)),
        ("[2, 0, 3] dims:3", (2, 0, 3)),
        ("[1,2,1] dims:3", (1, 2, 1)),
        ("[1, 1, 1, 2] dims:4", (1, 1, 1, 2)),
        ("[1, 1, 1, 1, 1, 1, 1, 2] dims:8", (1, 1, 1, 1, 1, 1, 1, 2)),
        (f"[{', '.join('1' * 64)}] dims:64", (1,) * 64),
    ],
)
def test_shapes_of_every_rank(shape: str, wanted: tuple[int, ...], tmp_path: Path) -> None:
    payload = floats(*range(int(np.prod(wanted))))
    reader = open_bytes(tmp_path, dump(record(payload, shape=shape), record(floats(9))))
    assert reader.infos[0].shape == reader.read(0).array.shape == wanted
    assert reader.infos[0].layout is (Layout.NHWC if len(wanted) == 4 else None)
    assert payloads(reader) == [payload, floats(9)]


def test_a_payload_longer_than_its_shape_is_cut_and_noted(tmp_path: Path) -> None:
    content = dump(record(floats(1, 2, 3), shape="[2] dims:1"), record(floats(1) + b"!", shape="[1] dims:1"))
    reader = open_bytes(tmp_path, content)
    assert isinstance(reader, BlockDump)
    assert payloads(reader) == [floats(1, 2), floats(1)]
    assert reader.stored(0).array.tobytes() == floats(1, 2, 3)
    assert reader.notes == ("2 records hold more data than their shape: the surplus was left out",)
    one = open_bytes(tmp_path, dump(record(floats(1, 2), shape="[1] dims:1")))
    assert one.notes == ("1 record holds more data than its shape: the surplus was left out",)


@pytest.mark.parametrize("shift", range(200))
def test_records_may_lie_anywhere_over_the_edges_of_the_reader_s_windows(
    shift: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block, "_WINDOW", 400)
    monkeypatch.setattr(block, "_NEAR", 150)
    monkeypatch.setattr(block, "LONGEST", 1000)
    wanted = [(b"n" * shift, floats(0))]
    wanted += [(b"t%d" % n, floats(*range(n % 5))) for n in range(20)]
    wanted += [(b"long" * 150, floats(1)), (b"big", floats(*range(150))), (b"behind", floats(2))]
    wanted += [(b"long" * 150, floats(*range(150))), (b"last" * 150, b"")]
    content = dump(*(record(payload, name, end=b"" if len(name) % 2 else END) for name, payload in wanted))
    reader = open_bytes(tmp_path, content)
    assert names(reader) == [name.decode() for name, _ in wanted]
    assert payloads(reader) == [payload for _, payload in wanted]


def test_thousands_of_tiny_records(tmp_path: Path) -> None:
    wanted = [(b"/layer%d/out" % n, floats(*range(n % 4))) for n in range(5000)]
    reader = open_bytes(tmp_path, dump(*(record(payload, name) for name, payload in wanted)))
    assert names(reader) == [name.decode() for name, _ in wanted]
    arrays = [reader.read(number).array for number in range(5000)]  # all at once: no file descriptor each
    assert [array.tobytes() for array in arrays] == [payload for _, payload in wanted]


def test_a_header_of_100k_at_the_edge_of_the_window(tmp_path: Path) -> None:
    for before in (0, 1, 65300, 65400, 65536, 70000):
        name = b"/".join([b"deep"] * 20000)
        content = dump(record(b"\0" * (before // 4 * 4), b"a"), record(floats(1), name, op=b"O" * 100000))
        reader = open_bytes(tmp_path, content)
        assert names(reader) == ["a", name.decode()]
        assert payloads(reader)[1] == floats(1)


def test_a_board_input_of_four_channels_under_a_shape_of_three_is_kept_whole(tmp_path: Path) -> None:
    """Which of the four values of a pixel are its colours is for the comparison to find out."""
    payload = np.arange(16, dtype="<f4").tobytes()
    header = b"//in 0 s: 0.0 z: 0 type: float name: data bConstant:0 shape:[1, 2, 2, 3] dims:4\nop_in[0] CONV_2D = {\n"
    (tmp_path / "a.bin").write_bytes(b"isFloat: 1\n" + header + b"//buffer data size: 64\n" + payload)
    reader = open_dump(tmp_path / "a.bin")
    assert reader.infos[0].shape == (16,)
    assert reader.read(0).array.tolist() == list(range(16))
    assert reader.notes == ()
