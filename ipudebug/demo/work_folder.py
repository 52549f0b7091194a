"""The example's files, copied into a folder where the user can try things on them.

The folder holds ``.ipudebug-demo``: a line ``<sha256>  <name>`` for each file that was copied. It tells a folder of
ours from anything else, and a file that the user edited from one that may be refreshed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping

from ipudebug.errors import OutputError
from ipudebug.files import replace_file
from ipudebug.results import make_folder

MARKER = ".ipudebug-demo"
MODEL, PREPROCESS, INPUT_CONFIG, IMAGES = "model.onnx", "preprocess.py", "input_config.ini", "images"
"""Names of the example's files, in the package and in every copy."""

ELSEWHERE = "choose another folder with -o"


def locate_example(name: str) -> str:
    """Return the path of one of the example's files in the installed package."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), name)


def prepare_folder(path: str) -> bool:
    """Copy the example's files into a folder, which is made if it is not there; return whether it was there already.

    Other files in a folder of ours stay. Raises OutputError where the folder is not of ours, or a copied file was
    edited: nothing is changed then.
    """
    path = path or os.curdir
    files = _read_example()
    try:
        was_there = os.path.isdir(path) and bool(os.listdir(path))
        if was_there:
            _check_ours(path, files)
    except OSError as reason:
        raise OutputError(f"cannot read {reason.filename}: {reason.strerror}", ELSEWHERE) from None
    make_folder(os.path.join(path, IMAGES))
    if not was_there:
        _write_marker(path, files)  # first, so that an interrupted copy can be done again
    for name, content in files.items():
        with replace_file(os.path.join(path, name)) as file:
            file.write(content)
    _write_marker(path, files)
    return was_there


def _read_example() -> dict[str, bytes]:
    """Return the content of the example's files by name; ``/`` stands between folder and file."""
    images = sorted(name for name in os.listdir(locate_example(IMAGES)) if name.endswith(".png"))
    contents = {}
    for name in (MODEL, PREPROCESS, INPUT_CONFIG, *(f"{IMAGES}/{image}" for image in images)):
        with open(locate_example(name), "rb") as file:
            contents[name] = file.read()
    return contents


def _check_ours(path: str, files: Mapping[str, bytes]) -> None:
    """Raise OutputError unless the folder was made here and holds no edited copy."""
    known = _read_marker(path)
    if known is None:
        raise OutputError(f"{path} is there already and was not made by ipudebug demo", f"{ELSEWHERE}, or move it away")
    edited = []
    for name, content in files.items():
        copy = os.path.join(path, name)
        if os.path.isfile(copy):
            with open(copy, "rb") as file:
                found = _hash(file.read())
            edited += [name] if found not in (known.get(name), _hash(content)) else []
    if edited:
        raise OutputError(
            f"{path}: edited since it was made: {', '.join(edited)}", f"{ELSEWHERE}, or remove these files"
        )


def _read_marker(path: str) -> dict[str, str] | None:
    """Return name -> sha256 of what was copied into a folder, None where nothing was."""
    marker = os.path.join(path, MARKER)
    if not os.path.isfile(marker):
        return None
    with open(marker, encoding="utf-8", errors="replace") as file:
        lines = [line.rstrip("\n").split("  ", 1) for line in file]
    return {parts[1]: parts[0] for parts in lines if len(parts) == 2}


def _write_marker(path: str, files: Mapping[str, bytes]) -> None:
    """Write down what is copied."""
    with replace_file(os.path.join(path, MARKER)) as file:
        file.write("".join(f"{_hash(content)}  {name}\n" for name, content in files.items()).encode())


def _hash(content: bytes) -> str:
    """Return the SHA-256 of some bytes as hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()
