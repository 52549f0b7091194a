"""Paths of clients: only regular files below the folder, however they are written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ipudebug.board.limits import Budget
from ipudebug.board.onboard import open_onboard
from ipudebug.board.protocol import Refusal
from ipudebug.board.upload import Upload, copy_onboard, measure_onboard


@pytest.fixture
def folder(tmp_path: Path) -> str:
    inner = tmp_path / "models" / "deep"
    inner.mkdir(parents=True)
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "models" / "a.img").write_bytes(b"model a")
    (inner / "b.img").write_bytes(b"model b")
    (tmp_path / "models" / "link.img").symlink_to(tmp_path / "secret")
    (tmp_path / "models" / "inside.img").symlink_to("a.img")
    (tmp_path / "models" / "out").symlink_to(tmp_path)
    (tmp_path / "models-2").mkdir()
    (tmp_path / "models-2" / "a.img").write_bytes(b"another folder")
    os.mkfifo(tmp_path / "models" / "pipe")
    return str(tmp_path / "models")


def read(folder: str | None, path: str) -> bytes:
    with open_onboard(folder, path) as file:
        return os.read(file, 100)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("a.img", b"model a"),
        ("./a.img", b"model a"),
        ("a.img/", b"model a"),
        ("deep//b.img", b"model b"),
        ("{folder}/a.img", b"model a"),
        ("{folder}//deep/b.img", b"model b"),
    ],
)
def test_files_below_the_folder(folder: str, path: str, content: bytes) -> None:
    assert read(folder, path.format(folder=folder)) == content


@pytest.mark.parametrize(
    "path",
    [
        "../secret", "deep/../../secret", "deep/../a.img", "..", ".", "/", "", "{folder}", "{folder}/",
        "{folder}/../secret", "/etc/passwd", "//etc/passwd", "{folder}-2/a.img", "link.img", "inside.img", "out/secret",
        "out/models/a.img", "pipe", "deep", "a.img/x", "nothing", "a.img\0", "a\udcff", "x" * 300, "a/" * 5000,
    ],
)  # fmt: skip
def test_nothing_else(folder: str, path: str) -> None:
    with pytest.raises(Refusal) as caught:
        read(folder, path.format(folder=folder))
    assert caught.value.code == "no_model"


def test_without_a_folder_nothing_lies_on_the_board() -> None:
    with pytest.raises(Refusal, match="this server has no model folder"):
        read(None, "a.img")


def test_a_copy_is_what_was_there_and_is_gone_when_it_is_closed(folder: str) -> None:
    import hashlib

    storage = Budget(100, "storage")
    upload = Upload(storage)
    upload.reserve(measure_onboard(folder, "deep/b.img", 7))
    copy_onboard(folder, "deep/b.img", upload)
    assert Path(upload.path).read_bytes() == b"model b"
    assert os.stat(upload.path).st_mode & 0o077 == 0
    assert (upload.digest, storage.taken) == (hashlib.sha256(b"model b").hexdigest(), 7)
    upload.close()
    assert (os.path.exists(upload.path), storage.taken) == (False, 0)
    with pytest.raises(Refusal, match="7 bytes, expected at most 6"):
        measure_onboard(folder, "a.img", 6)
