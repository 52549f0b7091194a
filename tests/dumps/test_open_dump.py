"""Opening what is no dump, or cannot be read: the whole message and what to do."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from ipudebug import IpuDebugError, open_dump, write_dump
from ipudebug.comparison import compare
from ipudebug.dumps import DUMP_FORMATS
from ipudebug.dumps.block import BlockDump
from ipudebug.dumps.text import TextDump
from ipudebug.errors import TruncatedDump, UnknownFormat
from tests.dumps.records import dump, floats, header, open_bytes, record, tensor

GIVE = "give the sigma_outtensor_dump.bin of a simulator or the *_outtensor_dump.bin of dump-onnx"
FIRST = "expected a first line 'isFloat: 0' or 'isFloat: 1', found"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b"PK\x03\x04\x14\0", "a zip archive (.npz files and PyTorch checkpoints are, too)"),
        (b"\x89PNG\r\n\x1a\n", "a PNG image"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "a JPEG image"),
        (b"\x08\x07\x12\x07pytorch", "an ONNX model"),
        (b"\x1c\0\0\0TFL3", "a model (.sim or .tflite)"),
        (b"isFloat: 2\n", "text that begins with 'isFloat: 2'"),
        (b"isfloat: 1\n", "text that begins with 'isfloat: 1'"),
        (b" isFloat: 1\n", "text that begins with ' isFloat: 1'"),
        (b"isFloat: 1x", "text that begins with 'isFloat: 1x'"),
        (b"\xef\xbb\xbfisFloat: 1\n", "bytes that begin with ef bb bf 69 73 46 6c 6f"),
        (b"isFloat: 1" + b" " * 99 + b"\n", f"text that begins with 'isFloat: 1{' ' * 30}'"),
        (b"\0" * 99, "bytes that begin with 00 00 00 00 00 00 00 00"),
    ],
)
def test_what_is_no_dump_is_called_what_it_is(content: bytes, found: str, tmp_path: Path) -> None:
    path = tmp_path / "some.bin"
    path.write_bytes(content)
    with pytest.raises(UnknownFormat) as raised:
        open_dump(path, "sample")
    assert raised.value.message == f"sample: {path} is no dump: {FIRST} {found}"
    assert raised.value.hint == GIVE


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat) as raised:
        open_dump(tmp_path / "none.bin")
    assert raised.value.message == f"dump: no such file: {tmp_path}/none.bin"
    assert raised.value.hint == "check the path and the working directory"


def test_a_directory(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat) as raised:
        open_dump(tmp_path, "benchmark")
    assert raised.value.message == f"benchmark: {tmp_path} is a directory, expected a file"
    assert raised.value.hint == "give the file, not its folder"


def test_a_pipe_or_device_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(UnknownFormat) as raised:
            open_dump(path)
        assert raised.value.message == f"dump: {path} is no regular file"
        assert raised.value.hint == "save it to a file first"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "secret.bin"
    path.write_bytes(b"isFloat: 1\n")
    path.chmod(0)
    with pytest.raises(UnknownFormat) as raised:
        open_dump(path)
    assert raised.value.message == f"dump: no permission to read {path}"
    assert raised.value.hint == "check the file's permissions"


def test_no_permission_as_the_system_reports_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "secret.bin"
    path.write_bytes(b"isFloat: 1\n")
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(UnknownFormat) as raised:
        open_dump(path)
    assert raised.value.message == f"dump: no permission to read {path}"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("n" * 300, f"dump: cannot open {'n' * 300}: File name too long"),
        ("a\0b", "dump: cannot open a\0b: embedded null"),
        (f"{__file__}/x", f"dump: cannot open {__file__}/x: Not a directory"),
    ],
)
def test_a_path_that_no_file_can_have(path: str, message: str) -> None:
    with pytest.raises(UnknownFormat) as raised:
        open_dump(path)
    assert raised.value.message.startswith(message)
    assert raised.value.hint


@pytest.mark.parametrize(
    ("content", "reader"),
    [
        (dump(), BlockDump),
        (dump(record(floats(1))), BlockDump),
        (dump(record()), BlockDump),
        (dump(record(b"0.123456, 0.5", size=12, end=b"5\n};\n")), TextDump),
        (dump(header() + b"\n0.123456, \n\n};\n"), TextDump),
        (dump(header(size=4) + b"\n0.123456, \n}\n"), TextDump),
        (dump(header(size=0) + b"\n\n}\n" + header(size=4) + b"\n-nan, \n}\n"), TextDump),
        (dump(record(end=b"\n}\n"), record(floats(1))), BlockDump),
        (dump(record(b"\n1.5")), BlockDump),
    ],
)
def test_binary_and_text_are_told_apart_by_the_first_values(content: bytes, reader: type, tmp_path: Path) -> None:
    assert type(open_bytes(tmp_path, content)) is reader


def test_the_formats_are_those_of_the_folder() -> None:
    assert list(DUMP_FORMATS) == ["block", "text"]


def test_a_dump_that_is_cut_while_it_is_compared_is_an_error_not_a_traceback(tmp_path: Path) -> None:
    array = np.arange(200_000, dtype=np.float32).reshape(1, 100, 50, 40)
    for name in ("a.bin", "b.bin"):
        write_dump(tmp_path / name, [tensor(array, "first"), tensor(array.copy(), "second")])
    comparison = compare(sample=tmp_path / "a.bin", benchmark=tmp_path / "b.bin")
    with (tmp_path / "b.bin").open("r+b") as file:
        file.truncate(900_000)
    rows = []
    with pytest.raises(TruncatedDump) as raised:
        rows += comparison
    assert raised.value.message == f"{tmp_path}/b.bin became shorter while it was read, at 'second'"
    assert raised.value.hint == "let the dump be written to its end, then start again"
    second = comparison.benchmark.read(1)
    with pytest.raises(TruncatedDump):
        second.array.sum()
    assert np.array_equal(comparison.benchmark.read(0).array, array)


def test_a_header_that_changes_while_the_dump_is_open(tmp_path: Path) -> None:
    reader = open_bytes(tmp_path, dump(record(floats(1))))
    assert isinstance(reader, BlockDump)
    (tmp_path / "test.bin").write_bytes(b"isFloat: 1\n")
    with pytest.raises(TruncatedDump, match="at byte 11: the file was changed while it was read"):
        reader.header(0)


def test_a_failing_disk_is_an_error_not_a_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    reader = open_bytes(tmp_path, dump(record(floats(1))))
    for call in ("pread", "preadv"):
        monkeypatch.setattr(os, call, fail)
    for read in (lambda: open_dump(tmp_path / "test.bin"), lambda: reader.read(0).copy_into(np.empty(1), 0)):
        with pytest.raises(IpuDebugError) as raised:
            read()
        assert raised.value.message == f"dump: cannot read {tmp_path}/test.bin: Input/output error"
