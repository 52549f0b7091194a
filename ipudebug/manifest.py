"""The manifest beside a dump: what it was made from, so that dumps of different inputs are not compared in silence.

``<dump>.json``::

    {"kind": "ipudebug dump manifest", "version": 1, "tool": "ipudebug 1.0", "versions": {"python": "3.12.1", ...},
     "dump": {"bytes": 5120, "ends": "<sha256 of the first and the last 64 KiB>"},
     "inputs": [{"path": "cat.jpg", "bytes": 9021, "sha256": "..."}],
     "files": {"model": [{...}], "preprocess": [{...}], ...}, "settings": {"graph_optimization": "off"}}

``ends`` tells a manifest that another dump of the same name has outlived from one that still belongs to its dump,
without reading gigabytes. ``sha256`` is null for what is no regular file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ipudebug.errors import InputError
from ipudebug.files import OpenFile, replace_file

KIND = "ipudebug dump manifest"
VERSION = 1
FILES = ("model", "weights", "preprocess", "input_config")
"""Facts of a run that are paths (``,`` between several preprocess files); all others are settings."""
_EDGE = 1 << 16
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class FileMark:
    """A file that took part in a run: where it was, its size in bytes, its hash; None where it is no regular file."""

    path: str
    bytes: int | None
    sha256: str | None

    @property
    def short(self) -> str:
        """The path with the beginning of its hash, for messages."""
        return f"{self.path} (sha256 {self.sha256[:12]})" if self.sha256 else self.path


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one dump was made from.

    Attributes:
        tool: the program that wrote the dump, with its version.
        versions: name -> version of what else took part.
        inputs: the image or images, one a model input.
        files: role (see FILES) -> the files of it.
        settings: how the run was made: plain JSON values.
    """

    tool: str
    versions: Mapping[str, str]
    inputs: tuple[FileMark, ...]
    files: Mapping[str, tuple[FileMark, ...]]
    settings: Mapping[str, Any]

    @property
    def inexact(self) -> dict[str, str]:
        """What was simulated from other integers than the chip's may be: tensor name -> types of its operators."""
        stated = self.settings.get("inexact")
        return {str(name): str(types) for name, types in stated.items()} if isinstance(stated, dict) else {}


def name_manifest(dump: str) -> str:
    """Return the path of the manifest that belongs to a dump."""
    return f"{dump}.json"


def mark_file(path: str) -> FileMark:
    """Return path, size and hash of a file; raises InputError if it is there but cannot be read."""
    if not os.path.isfile(path):
        return FileMark(path, None, None)
    file = OpenFile(path, "manifest", InputError)
    digest = hashlib.sha256()
    for start in range(0, file.size, _CHUNK):
        digest.update(file.read(_CHUNK, start))
    return FileMark(path, file.size, digest.hexdigest())


def mark_ahead(facts: Mapping[str, Any]) -> Callable[[str], FileMark]:
    """Return what ``mark_file`` does, for the paths among ``facts`` done in a thread that starts now.

    Hashing runs outside Python's lock: beside a model that starts, a hundred megabytes of weights cost nothing.
    """
    marks: dict[str, FileMark] = {}

    def mark_all() -> None:
        with contextlib.suppress(InputError):  # told by whoever asks for that file
            marks.update((path, mark_file(path)) for paths in _list_files(facts).values() for path in paths)

    thread = threading.Thread(target=mark_all, name="manifest", daemon=True)
    thread.start()

    def mark(path: str) -> FileMark:
        thread.join()
        return marks.get(path) or mark_file(path)

    return mark


def _list_files(facts: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the paths among the facts of a run, by their role."""
    given = {role: str(facts[role]) for role in FILES if facts.get(role)}
    return {
        role: [path.strip() for path in text.split(",")] if role == "preprocess" else [text.strip()]
        for role, text in given.items()
    }


def write_manifest(
    dump: str,
    tool: str,
    versions: Mapping[str, str],
    inputs: Sequence[str],
    facts: Mapping[str, Any],
    mark: Callable[[str], FileMark] = mark_file,
) -> None:
    """Write the manifest beside a finished dump; it appears complete or not at all.

    Args:
        dump: path of the dump.
        tool: the program that wrote it, with its version.
        versions: of what else took part.
        inputs: the images that were fed, one a model input.
        facts: what else there is to say of the run; the paths among them (see FILES) are hashed, None is left out.
        mark: gives path, size and hash of a file; see ``mark_ahead``.

    Raises InputError or OutputError.
    """
    manifest = {
        "kind": KIND,
        "version": VERSION,
        "tool": tool,
        "versions": dict(versions),
        "dump": _mark_dump(dump),
        "inputs": [asdict(mark(path)) for path in inputs],
        "files": {role: [asdict(mark(path)) for path in paths] for role, paths in _list_files(facts).items()},
        "settings": {name: value for name, value in facts.items() if name not in FILES and value is not None},
    }
    with replace_file(name_manifest(dump)) as file:
        file.write(json.dumps(manifest, indent=1).encode() + b"\n")


def read_manifest(dump: str) -> tuple[Manifest | None, str]:
    """Return the manifest beside a dump and a note for the user ("" if there is nothing to say).

    None stands for: there is none, or it is damaged, or it belongs to another dump. A comparison does not fail for it.
    """
    path = name_manifest(dump)
    if not os.path.isfile(path):
        return None, ""
    try:
        with open(path, "rb") as file:
            fields = json.loads(file.read())
        if not isinstance(fields, dict) or fields.get("kind") != KIND:
            return None, ""  # a user's own file that happens to have this name
        if fields["version"] != VERSION:
            return None, f"{path}: a manifest of version {fields['version']}, this ipudebug knows {VERSION}: ignored"
        if fields["dump"] != _mark_dump(dump):
            return None, f"{path}: the manifest belongs to another dump of this name: ignored"
        return _parse(fields), ""
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, InputError):
        return None, f"{path}: the manifest is damaged: ignored"


def find_conflicts(sample: Manifest, benchmark: Manifest) -> list[str]:
    """Return in words what makes two dumps incomparable, or doubtful: other inputs, another preprocessing."""
    conflicts = []
    if _hashes(sample.inputs) != _hashes(benchmark.inputs):
        conflicts.append(_differ("the two dumps were made from DIFFERENT INPUTS", sample.inputs, benchmark.inputs))
    before, after = (side.files.get("preprocess", ()) for side in (sample, benchmark))
    if before and after and _hashes(before) != _hashes(after):
        conflicts.append(_differ("the two dumps were made with different preprocess files", before, after))
    return conflicts


def _differ(what: str, sample: Sequence[FileMark], benchmark: Sequence[FileMark]) -> str:
    """Return a sentence on two lists of files that should be the same."""
    sides = (("sample", sample), ("benchmark", benchmark))
    return f"{what}: " + "; ".join(f"{side} {', '.join(mark.short for mark in marks)}" for side, marks in sides)


def _hashes(marks: Sequence[FileMark]) -> list[str]:
    """Return what tells files apart: their hashes, or their paths where there is none."""
    return [mark.sha256 or mark.path for mark in marks]


def _mark_dump(dump: str) -> dict[str, Any]:
    """Return what tells a dump from another of the same name."""
    file = OpenFile(dump, "manifest", InputError)
    ends = file.read(_EDGE, 0) + file.read(_EDGE, max(0, file.size - _EDGE))
    return {"bytes": file.size, "ends": hashlib.sha256(ends).hexdigest()}


def _parse(fields: Mapping[str, Any]) -> Manifest:
    """Return the manifest that JSON fields hold; raises KeyError, TypeError or AttributeError if they do not."""
    return Manifest(
        _text(fields["tool"]),
        {_text(name): _text(version) for name, version in fields["versions"].items()},
        tuple(_parse_mark(mark) for mark in fields["inputs"]),
        {_text(role): tuple(_parse_mark(mark) for mark in marks) for role, marks in fields["files"].items()},
        {_text(name): value for name, value in fields["settings"].items()},
    )


def _parse_mark(mark: Mapping[str, Any]) -> FileMark:
    """Return one file of a manifest."""
    size, digest = mark["bytes"], mark["sha256"]
    if size is not None and not isinstance(size, int):
        raise TypeError(size)
    return FileMark(_text(mark["path"]), size, None if digest is None else _text(digest))


def _text(value: object) -> str:
    """Return a value that must be a string; raises TypeError."""
    if not isinstance(value, str):
        raise TypeError(value)
    return value
