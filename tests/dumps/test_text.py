"""The dump as text: every generation's way of writing numbers, and what is refused."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from ipudebug import Layout, open_dump
from ipudebug.dumps import text as text_module
from ipudebug.dumps.header import header_of
from ipudebug.dumps.text import TextDump, write_text, write_values
from ipudebug.errors import CorruptDump, TruncatedDump
from ipudebug.tensor import Tensor
from tests.dumps.records import dump, header, open_bytes, payloads, tensor

NOTE = "dumped as text: it holds 6 decimals only; a binary dump compares exactly"


def text(values: bytes, name: bytes = b"x", *, end: bytes = b"\n};\n", **fields: object) -> bytes:
    """Return a record whose values are text."""
    return header(name, **fields) + values + end  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("what", "type_name", "values", "wanted"),
    [
        ("bytes of U8", b"SGS_U8", b"     0,    255, \n", np.uint8([0, 255])),
        ("bytes of S8", b"SGS_S8", b"   252,      4, \n", np.int8([-4, 4])),
        ("elements of S8", b"SGS_S8", b"    -4,      4, \n", np.int8([-4, 4])),
        ("bytes of S16", b"SGS_S16", b"   187,      8,    254,    255, \n", np.int16([2235, -2])),
        ("bytes of S16 below an empty line", b"SGS_S16", b"\n   187,      8, \n", np.int16([2235])),
        ("elements of S16", b"SGS_S16", b"    2235,       -2, \n", np.int16([2235, -2])),
        ("elements of S16 below an empty line", b"SGS_S16", b"\n    2235,       -2, \n", np.int16([2235, -2])),
        ("bytes of S32", b"SGS_S32", b"     1,      0,      0,    128, \n", np.int32([1 - (1 << 31)])),
        ("elements of S32", b"SGS_S32", b"       70000,           -1, \n", np.int32([70000, -1])),
        ("S32 without values", b"SGS_S32", b"", np.int32([])),
        ("elements of S64", b"SGS_S64", b" 9007199254740993, \n", np.int64([9007199254740993])),
        ("bits", b"SGS_BOOL", b"     1,      0, \n", np.array([True, False])),
        ("float", b"float", b"1.500000, -0.000001, \n", np.float32([1.5, -1e-6])),
        ("a 4-bit type", b"SGS_S4", b"     7,    255, \n", np.frombuffer(b"\7\xff", "V1")),
    ],
)
def test_integers_are_read_by_byte_or_by_element(
    what: str, type_name: bytes, values: bytes, wanted: np.ndarray, tmp_path: Path
) -> None:
    reader = open_bytes(
        tmp_path, dump(text(values, type_name=type_name), text(values, type_name=type_name), is_float=0)
    )
    assert not reader.is_float
    for number in (0, 1):
        found = reader.read(number).array
        assert reader.infos[number].shape == found.shape == wanted.shape
        assert found.dtype == wanted.dtype
        assert found.tobytes() == wanted.tobytes()


def test_a_simulator_s_float_text(tmp_path: Path) -> None:
    rows = b"0.500000, " * 16 + b"\n" + b"-nan, inf, -inf, nan, \n"
    reader = open_bytes(tmp_path, dump(text(b"\n" + rows, b"a {"), text(b"\n", b"empty"), text(b"\n" + rows, b"b};")))
    assert isinstance(reader, TextDump)
    assert reader.notes == (NOTE,)
    assert [info.name for info in reader.infos] == ["a {", "empty", "b};"]
    wanted = np.float32([0.5] * 16 + [np.nan, np.inf, -np.inf, np.nan])
    assert np.array_equal(reader.read(0).array, wanted, equal_nan=True)
    assert np.array_equal(reader.read(2).array, wanted, equal_nan=True)
    assert reader.read(1).array.shape == (0,)


@pytest.mark.parametrize("end", [b"\n}\n", b"\n};\n", b"\r\n}\r\n\r\n", b"\n}"])
@pytest.mark.parametrize("first", [0, 1, 5, 16])
def test_a_framework_s_text(end: bytes, first: int, tmp_path: Path) -> None:
    shaped = [(f"[{first}] dims:1", first), ("[1, 1, 2, 9] dims:4", 18), ("[] dims:0", 1)]
    records = []
    for number, (shape, size) in enumerate(shaped):
        rows = b"".join(b"%d.250000, " % n + (b"\n" if n % 16 == 15 else b"") for n in range(size))
        last = number == len(shaped) - 1 or end != b"\n}"
        records.append(text(b"\n" + rows, end=end if last else b"\n}\n", size=4 * size, shape=shape))
    reader = open_bytes(tmp_path, dump(*records))
    assert isinstance(reader, TextDump)
    assert [info.shape for info in reader.infos] == [(first,), (1, 1, 2, 9), ()]
    assert reader.infos[1].layout is Layout.NHWC
    for number, (_, size) in enumerate(shaped):
        assert np.array_equal(reader.read(number).array.reshape(-1), np.arange(size, dtype=np.float32) + 0.25)


def test_later_writers_lines_and_surplus(tmp_path: Path) -> None:
    bits = b"//data size is 4 bits\n"
    reader = open_bytes(
        tmp_path,
        dump(text(bits + b"     1,      2,      3, \n", type_name=b"SGS_U8", shape="[1, 2] dims:2"), is_float=0),
    )
    assert np.array_equal(reader.read(0).array, np.uint8([[1, 2]]))


def test_a_first_name_of_100k_characters(tmp_path: Path) -> None:
    reader = open_bytes(tmp_path, dump(text(b"\n1.000000, \n", b"n" * 100_000)))
    assert len(reader.infos[0].name) == 100_000
    assert np.array_equal(reader.read(0).array, np.float32([1]))


MALFORMED = [
    ("a word", 1, text(b"\n1.0, two, \n"), "PATH: x: could not convert string to float: b'two'"),
    ("commas only", 1, text(b"\n,,,,\n"), "PATH: x: expected 4 numbers, found 0"),
    (
        "a fraction",
        0,
        text(b"   1.5, \n", type_name=b"SGS_U8"),
        "PATH: x: invalid literal for int() with base 10: b'1.5'",
    ),
    ("nan", 0, text(b"   nan, \n", type_name=b"SGS_U8"), "PATH: x: invalid literal for int() with base 10: b'nan'"),
    ("no byte", 0, text(b"   256, \n", type_name=b"SGS_U8"), "PATH: x: 256 is no uint8 number"),
    ("no S8", 0, text(b"  -129, \n", type_name=b"SGS_S8"), "PATH: x: -129 is no int8 number"),
    ("no bit", 0, text(b"     2, \n", type_name=b"SGS_BOOL"), "PATH: x: 2 is no bool number"),
    ("no S16", 0, text(b"   40000, \n", type_name=b"SGS_S16"), "PATH: x: 40000 is no int16 number"),
    (
        "huge",
        0,
        text(b" " + b"9" * 30 + b",\n", type_name=b"SGS_S64"),
        "PATH: x: Python int...",
    ),
    (
        "a byte too few",
        0,
        text(b"     1,\n", type_name=b"SGS_S16"),
        "PATH: x: expected whole elements, found 1 numbers",
    ),
    ("a value too few", 1, text(b"\n1.0, \n", shape="[2] dims:1"), "PATH: x: expected [2], found 1 numbers"),
    ("a value missing", 0, text(b"     1,  ,\n", type_name=b"SGS_S16"), "PATH: x: expected 2 numbers, found 1"),
    ("a bad shape", 1, text(b"\n1.0, \n", shape="[-1] dims:1"), "PATH: at byte 11: shape:[-1] is no shape of dims:1"),
    (
        "other lines",
        1,
        text(b"\n1.000000, \n") + b"and so on\nto the end\n",
        "PATH: at byte 106: expected the header of a record, found b'and so on\\nto the end\\n'",
    ),
]


@pytest.mark.parametrize(("what", "is_float", "content", "message"), MALFORMED, ids=lambda value: str(value)[:16])
def test_malformed_text_is_refused(what: str, is_float: int, content: bytes, message: str, tmp_path: Path) -> None:
    def read() -> None:
        open_bytes(tmp_path, dump(content, is_float=is_float)).read(0).array.sum()

    with pytest.raises(CorruptDump) as raised:
        read()
    found = raised.value.message.replace(str(tmp_path / "test.bin"), "PATH")
    assert found == message or (message.endswith("...") and found.startswith(message[:-3]))  # NumPy's own words vary
    assert raised.value.hint


def test_a_text_dump_cut_at_any_byte_gives_fewer_records_or_says_so(tmp_path: Path) -> None:
    framework = [text(b"\n1.000000, 2.000000, \n", end=b"\n}\n", size=8, shape="[1, 2] dims:2")] * 2
    simulator = [text(b"\n1.000000, \n", b"a}; {"), text(b"\n", b"b"), text(b"\n2.000000, \n", role=b"in")]
    raw = [text(b"     1,      0, \n", type_name=b"SGS_S16"), text(b"     3, \n", type_name=b"SGS_S8")]
    for is_float, records in ((1, framework), (1, simulator), (0, raw)):
        whole = open_bytes(tmp_path, dump(*records, is_float=is_float))
        infos, data = whole.infos, payloads(whole)
        assert len(infos) == len(records)
        counts = set()
        for length in range(1, len(dump(*records))):
            try:
                reader = open_bytes(tmp_path, dump(*records, is_float=is_float)[:length])
            except TruncatedDump:
                continue
            counts.add(len(reader.infos))
            assert reader.infos == infos[: len(reader.infos)]
            assert payloads(reader) == data[: len(reader.infos)]
        assert counts == set(range(len(records) + 1))


def test_copying_piece_by_piece_parses_the_text_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = open_bytes(tmp_path, dump(text(b"\n" + b"".join(b"%d.000000, " % n for n in range(1000)) + b"\n")))
    assert isinstance(reader, TextDump)
    parsed = []
    array = type(reader.read(0)).array.fget  # type: ignore[attr-defined]
    monkeypatch.setattr(type(reader.read(0)), "array", property(lambda self: parsed.append(1) or array(self)))
    out = np.empty(100)
    for passes in (1, 2):
        for start in range(0, 1000, 100):
            reader.read(0).copy_into(out, start)
            assert np.array_equal(out, np.arange(start, start + 100))
        assert len(parsed) == passes
    tracemalloc.start()
    reader.read(0).copy_into(out, 900)
    del out
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held < 2000  # nothing of the values is kept behind the last


def test_values_are_written_in_rows_of_sixteen() -> None:
    for size, rows in (
        (0, []),
        (1, [1]),
        (16, [16]),
        (17, [16, 1]),
        (32, [16, 16]),
        (16 * 1024 + 3, [16] * 1024 + [3]),
    ):
        values = np.arange(size, dtype=np.float32) / 2
        for break_last_row in (True, False):
            file = io.BytesIO()
            write_values(file, values, break_last_row=break_last_row)
            lines = file.getvalue().decode().split("\n")
            assert [line.count(", ") for line in lines if line] == rows
            assert lines[-1] == "" or (not break_last_row and size % 16)
            assert file.getvalue().decode().replace("\n", "") == "".join(f"{value:.6f}, " for value in values)


def test_written_text_is_read_again(tmp_path: Path) -> None:
    tensors = [tensor(np.float32([[1.5, -2]]), "a b"), tensor(np.zeros((0, 2), np.float32), "c", op_index=3)]
    with (tmp_path / "text.bin").open("wb") as file:
        write_text(file, tensors, [header_of(each.info, is_float=True) for each in tensors])
    assert (tmp_path / "text.bin").read_bytes() == dump(
        text(b"\n1.500000, -2.000000, \n", b"a b", op=b""), text(b"\n", b"c", op=b"", index=3)
    )
    reader = open_dump(tmp_path / "text.bin")
    assert [info.name for info in reader.infos] == ["a b", "c"]
    assert np.array_equal(reader.read(0).array, [1.5, -2])


def test_a_text_dump_that_is_cut_while_it_is_open(tmp_path: Path) -> None:
    reader = open_bytes(tmp_path, dump(text(b"\n1.000000, \n")))
    with (tmp_path / "test.bin").open("r+b") as file:
        file.truncate(90)
    found: Tensor = reader.read(0)
    with pytest.raises(TruncatedDump) as raised:
        found.copy_into(np.empty(1), 0)
    assert raised.value.message == f"{tmp_path}/test.bin: x: the file became shorter while it was read"


@pytest.mark.parametrize("piece", [50, 51, 64, 101, 1 << 20])
@pytest.mark.parametrize("end", [b", ", b"\n", b",", b", \r\n"])
def test_where_the_text_is_divided_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int, end: bytes
) -> None:
    monkeypatch.setattr(text_module, "_PIECE", piece)  # longer than any number
    wanted = [0.5, -1234.25, 1e-6, 0.0, -0.0, 3e38, np.nan, np.inf, -np.inf, *range(100)]
    words = b"".join(b"%f" % value + (end if b"," in end else b"," + end) for value in wanted)
    found = open_bytes(tmp_path, dump(text(b"\n" + words + b"\n"))).read(0).array
    assert np.array_equal(found, np.float32(wanted), equal_nan=True)


def test_text_is_parsed_without_much_memory(tmp_path: Path) -> None:
    count = 300_000
    reader = open_bytes(tmp_path, dump(text(b"\n" + b"0.500000, " * count + b"\n")))
    tracemalloc.start()
    found = reader.read(0).array
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (found == 0.5).all()
    assert found.size == count
    assert peak < 4 * count + (6 << 20)  # all the words at once would take 17 MB


@pytest.mark.parametrize("word", [b"1.0x", b"nan(1", b"0x10", b"--1.0", b"1.0\0", b"1e", b"\xff", b"1.0.0"])
@pytest.mark.parametrize("place", [0, 1, 5])
def test_what_is_no_number_is_told(tmp_path: Path, word: bytes, place: int) -> None:
    words = [b"1.000000"] * 6
    words[place] = word
    reader = open_bytes(tmp_path, dump(text(b"\n" + b", ".join(words) + b", \n")))
    with pytest.raises(CorruptDump, match="x: could not convert string to float"):
        _ = reader.read(0).array


def test_integers_are_written_byte_by_byte_and_read_again(tmp_path: Path) -> None:
    tensors = [
        tensor(np.int16([2235, -2]), "a"),
        tensor(np.int8([-4] * 17), "b", op_index=1),
        tensor(np.int32([-1]), "c", op_index=2),
    ]
    path = tmp_path / "text.bin"
    for blank_line, before in ((False, b""), (True, b"\n")):
        with path.open("wb") as file:
            headers = [header_of(each.info, is_float=False) for each in tensors]
            written = write_text(file, tensors, headers, is_float=False, blank_line=blank_line)
        assert written == [each.info for each in tensors]
        row = b"   252, " * 16 + b"\n"
        assert path.read_bytes() == dump(
            text(before + b"   187,      8,    254,    255, \n", b"a", op=b"", type_name=b"SGS_S16"),
            text(before + row + b"   252, \n", b"b", op=b"", type_name=b"SGS_S8", index=1),
            text(before + b"   255,    255,    255,    255, \n", b"c", op=b"", type_name=b"SGS_S32", index=2),
            is_float=0,
        )
        reader = open_dump(path)
        assert [reader.read(number).array.tolist() for number in range(3)] == [each.array.tolist() for each in tensors]


def test_a_text_with_shapes(tmp_path: Path) -> None:
    one = tensor(np.float32([[[[1], [2]]]]), "x")
    with (tmp_path / "text.bin").open("wb") as file:
        write_text(file, [one], [header_of(one.info, is_float=True)], with_shape=True)
    (info,) = open_dump(tmp_path / "text.bin").infos
    assert (info.shape, info.layout) == ((1, 1, 2, 1), Layout.NHWC)
