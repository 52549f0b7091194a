"""Files that are read where they lie, and files that appear complete or not at all."""

from __future__ import annotations

import errno
import gc
import os
import threading
from pathlib import Path

import pytest

from ipudebug.errors import ConfigError, InputError, OutputError
from ipudebug.files import OpenFile, replace_file


class FullDisk:
    """Stands for ``open``: files whose ``write`` (or ``close``) fails as on a full disk."""

    def __init__(self, fails: str, code: int = errno.ENOSPC) -> None:
        self.fails = fails
        self.code = code

    def __call__(self, path: str, mode: str) -> FullDisk:
        self.path = path
        Path(path).touch()
        return self

    def __enter__(self) -> FullDisk:
        return self

    def __exit__(self, *_: object) -> None:
        if self.fails == "close":
            raise OSError(self.code, os.strerror(self.code))

    def write(self, data: bytes) -> int:
        if self.fails == "write":
            raise OSError(self.code, os.strerror(self.code))
        return len(data)


def test_a_file_is_replaced_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "out.bin"
    for content in (b"first", b"second and longer", b""):
        before = target.read_bytes() if target.exists() else None
        with replace_file(target) as file:
            file.write(content)
            file.flush()
            assert (target.read_bytes() if target.exists() else None) == before
            assert sorted(path.name for path in tmp_path.iterdir()) == ["out.bin"] * target.exists() + ["out.bin.part"]
        assert target.read_bytes() == content
        assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    "error", [ValueError("x"), KeyboardInterrupt(), SystemExit(3), OSError(2, "else"), GeneratorExit()]
)
def test_an_exception_leaves_what_was_there(error: BaseException, tmp_path: Path) -> None:
    target = tmp_path / "out.bin"
    target.write_bytes(b"before")

    def fail() -> None:
        with replace_file(target) as file:
            file.write(b"half")
            raise error

    with pytest.raises(type(error)) as raised:
        fail()
    assert raised.value is error
    assert target.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("fails", ["write", "close"])
def test_a_full_disk_leaves_what_was_there(fails: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "out.bin"
    target.write_bytes(b"before")
    monkeypatch.setattr("builtins.open", FullDisk(fails))
    with pytest.raises(OutputError) as raised, replace_file(target) as file:
        file.write(b"half")
    monkeypatch.undo()
    assert raised.value.message == f"no space left on the device while writing {target}"
    assert raised.value.hint == "free some space"
    assert target.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [target]


def test_a_broken_disk_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.open", FullDisk("write", errno.EIO))
    with pytest.raises(OutputError) as raised, replace_file(tmp_path / "out.bin") as file:
        file.write(b"half")
    monkeypatch.undo()
    assert raised.value.message == f"cannot write {tmp_path}/out.bin: Input/output error"
    assert list(tmp_path.iterdir()) == []


def test_a_target_that_is_a_directory(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(OutputError) as raised, replace_file(tmp_path / "out"):
        pytest.fail("nothing must be done before the target is checked")
    assert raised.value.message == f"cannot write {tmp_path}/out: Is a directory"
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


@pytest.mark.parametrize("name", ["none/out.bin", "file/out.bin", "n" * 260])
def test_a_folder_that_cannot_be_written(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError) as raised, replace_file(tmp_path / name):
        pytest.fail("the file cannot be opened")
    assert raised.value.message.startswith(f"cannot write {tmp_path}/{name}: ")
    assert raised.value.hint == "choose another output folder"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(OutputError) as raised, replace_file(folder / "out.bin"):
        pytest.fail("the file cannot be opened")
    assert raised.value.message == f"cannot write {folder}/out.bin: Permission denied"


def test_a_device_is_written_straight(tmp_path: Path) -> None:
    with replace_file("/dev/null") as file:
        file.write(b"gone")
    assert Path("/dev/null").is_char_device()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    with replace_file(pipe) as file:
        file.write(b"through")
    reader.join()
    assert read == [b"through"]
    with pytest.raises(ZeroDivisionError), replace_file("/dev/null"):
        raise ZeroDivisionError
    assert Path("/dev/null").is_char_device()
    assert list(tmp_path.iterdir()) == [pipe]


def test_an_open_file_is_read_at_any_offset(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(range(100)))
    file = OpenFile(path, "input", InputError)
    assert (file.path, file.size) == (str(path), 100)
    assert file.read(10, 5) == bytes(range(5, 15))
    assert file.read(10, 95) == bytes(range(95, 100))
    assert file.read(10, 100) == file.read(10, 1 << 40) == b""
    out = bytearray(20)
    file.read_into(memoryview(out), 80)
    assert out == bytes(range(80, 100))
    with pytest.raises(EOFError):
        file.read_into(memoryview(out), 81)
    assert file.map(100)[7:9] == b"\7\10"
    with pytest.raises(EOFError):
        file.map(101)


def test_one_mapping_serves_all_and_goes_with_the_last(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"x" * 100)
    file = OpenFile(path, "input", InputError)
    first, second = file.map(10), file.map(100)
    assert first is second
    del first, second
    gc.collect()
    assert file._mapped is not None
    assert file._mapped() is None
    again = file.map(1)
    path.write_bytes(b"y" * 200)
    assert file.map(150)[149:150] == b"y"  # the file has grown: the old mapping does not reach
    assert len(again) == 100


def test_a_file_that_shrinks_is_an_error_not_a_signal(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"x" * 100)
    file = OpenFile(path, "input", InputError)
    path.write_bytes(b"x" * 10)
    for read in (lambda: file.read_into(memoryview(bytearray(20)), 0), lambda: file.map(100)):
        with pytest.raises(EOFError, match="became shorter while it was read"):
            read()


def test_the_error_is_the_one_that_was_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        OpenFile(tmp_path / "none.ini", "the ini", ConfigError)
    assert raised.value.message == f"the ini: no such file: {tmp_path}/none.ini"


def test_files_are_closed_when_nobody_refers_to_them(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"x")
    file = OpenFile(path, "input", InputError)
    descriptor = file.fd
    os.fstat(descriptor)
    del file
    gc.collect()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_a_link_stays_and_what_it_points_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with replace_file(tmp_path / "link") as file:
        file.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]
