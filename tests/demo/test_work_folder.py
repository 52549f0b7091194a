from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from ipudebug.demo.work_folder import MARKER, MODEL, locate_example, prepare_folder
from ipudebug.errors import OutputError


def test_the_copies_are_the_package_s_files_and_the_marker_has_their_hashes(tmp_path: Path) -> None:
    assert prepare_folder(str(tmp_path / "a" / "b")) is False
    folder = tmp_path / "a" / "b"
    copied = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    marker = copied.pop(MARKER).read_text()
    assert len(copied) == 15
    for name, path in copied.items():
        assert path.read_bytes() == Path(locate_example(name)).read_bytes()
        assert f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n" in marker


def test_a_copy_that_was_interrupted_is_completed(tmp_path: Path) -> None:
    prepare_folder(str(tmp_path))
    for path in tmp_path.rglob("*.png"):
        path.unlink()
    assert prepare_folder(str(tmp_path)) is True
    assert len(list(tmp_path.rglob("*.png"))) == 12


def test_the_files_of_an_earlier_version_are_replaced(tmp_path: Path) -> None:
    old = b"an older model"
    (tmp_path / MODEL).write_bytes(old)
    (tmp_path / MARKER).write_text(f"{hashlib.sha256(old).hexdigest()}  {MODEL}\n")
    prepare_folder(str(tmp_path))
    assert (tmp_path / MODEL).read_bytes() == Path(locate_example(MODEL)).read_bytes()


@pytest.mark.parametrize("marker", [b"", b"\xff\xfe\n", b"nonsense\n\n  \n", b"0000  ../../etc\n"])
def test_a_damaged_marker_protects_what_is_there(marker: bytes, tmp_path: Path) -> None:
    (tmp_path / MODEL).write_bytes(b"mine")
    (tmp_path / MARKER).write_bytes(marker)
    with pytest.raises(OutputError, match=r"edited since it was made: model\.onnx"):
        prepare_folder(str(tmp_path))
    assert (tmp_path / MODEL).read_bytes() == b"mine"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_folder_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    list_folder = os.listdir

    def refuse(path: str) -> list[str]:
        if path == str(tmp_path):
            raise PermissionError(13, "Permission denied", path)
        return list_folder(path)

    monkeypatch.setattr(os, "listdir", refuse)  # root may read everything, so a mode would not do
    with pytest.raises(OutputError) as caught:
        prepare_folder(str(tmp_path))
    assert caught.value.message == f"cannot read {tmp_path}: Permission denied"
