"""What support needs to look at a suspect operator, in one zip: numbers, tensors, parameters, configuration.

::

    README.txt                  what is in it, and what is not
    report.html, report.json, rows.txt
    suspect/tensors.json        one entry a .npy: side, role, name, shape, scale
    suspect/sample/*.npy        inputs and outputs of the operator, as it ran in the sample ...
    suspect/benchmark/*.npy     ... and in the benchmark
    quantisation.json           scale, zero point and type of every tensor whose dump tells them
    manifests/, config/         what the dumps were made from, and the files that were given
    environment.json

Constants (weights, biases) are left out unless asked for; models and images are never taken along by themselves.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ipudebug.comparison import Comparison, LayerResult
from ipudebug.dumps import DumpReader
from ipudebug.errors import ConfigError
from ipudebug.filenames import FileNames
from ipudebug.files import OpenFile, replace_file
from ipudebug.manifest import mark_file, name_manifest, read_manifest
from ipudebug.reports import REPORTS
from ipudebug.reports.cells import show_valid
from ipudebug.tensor import Tensor

REPORT_FILES = {"html": "report.html", "json": "report.json", "rows": "rows.txt"}
_CHUNK = 1 << 20
_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip knows: equal contents make equal files


@dataclass(frozen=True, slots=True)
class Operand:
    """A tensor of the suspect operator on one side: ``role`` is ``in``, ``out`` or ``constant``."""

    side: str
    role: str
    tensor: Tensor
    record: int


def write_bundle(
    path: str,
    comparison: Comparison,
    rows: Sequence[LayerResult],
    suspect: LayerResult | None,
    *,
    configs: Sequence[str] = (),
    with_weights: bool = False,
    environment: Mapping[str, Any],
) -> list[str]:
    """Write the zip, complete or not at all, and return the names of what is in it.

    Args:
        path: the file.
        comparison: what was compared.
        rows: its results.
        suspect: the row whose operator's tensors are taken along; None if nothing is suspected.
        configs: further files to take along.
        with_weights: take the operator's constants along.
        environment: versions and platform, plain JSON values.

    Raises OutputError, ConfigError, DumpError.
    """
    remarks: list[str] = []
    with replace_file(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, target in REPORT_FILES.items():
            pieces = REPORTS[name].render(comparison, rows)
            _store(archive, target, (piece.encode("utf-8", "surrogateescape") for piece in pieces))
        operands = find_operands(comparison, suspect, with_weights=with_weights) if suspect else []
        _store_json(archive, "suspect/tensors.json", list(_store_operands(archive, operands)))
        sides = (("sample", comparison.sample), ("benchmark", comparison.benchmark))
        _store_json(archive, "quantisation.json", {side: list(read_quantisation(dump)) for side, dump in sides})
        shelf = _Shelf(archive)
        for config in configs:
            shelf.store(config)
        for side, dump in sides:
            _store_origin(archive, side, dump, shelf, remarks)
        _store_json(archive, "environment.json", environment)
        _store(archive, "README.txt", [_describe(comparison, suspect, with_weights, remarks).encode()])
        return archive.namelist()


def find_operands(comparison: Comparison, suspect: LayerResult, *, with_weights: bool) -> list[Operand]:
    """Return inputs and outputs of the operator that made a row, of both sides, in the dumps' order.

    A dump without inputs (the framework scripts write outputs only) gives the tensors that the other side names as
    the operator's inputs, where it has them.
    """
    sample = _find_records("sample", comparison.sample, suspect.sample)
    benchmark = _find_records("benchmark", comparison.benchmark, suspect.benchmark)
    pairs = comparison.alignment.pairs
    partners = {
        comparison.sample.infos[pair.sample].name: comparison.benchmark.infos[pair.benchmark].name for pair in pairs
    }
    backwards = {benchmark_name: name for name, benchmark_name in partners.items()}
    sample += _borrow_inputs("sample", comparison.sample, sample, benchmark, backwards)
    benchmark += _borrow_inputs("benchmark", comparison.benchmark, benchmark, sample, partners)
    order = {"in": 0, "constant": 1, "out": 2}
    found = [*sample, *benchmark]
    found = [item for item in found if with_weights or item.role != "constant"]
    return sorted(found, key=lambda item: (item.side == "benchmark", order[item.role], item.record))


def _find_records(side: str, dump: DumpReader, tensor: Tensor) -> list[Operand]:
    """Return the operands of the operator that made ``tensor`` that a dump holds; of a model's input, only itself."""
    is_input = tensor.info.role == "in"
    found = []
    for record, info in enumerate(dump.infos):
        if info.op_index == tensor.info.op_index and (info.name == tensor.info.name or not is_input):
            role = "constant" if info.constant else info.role
            found.append(Operand(side, role, dump.read(record), record))
    return found


def _borrow_inputs(
    side: str, dump: DumpReader, own: Sequence[Operand], other: Sequence[Operand], partners: Mapping[str, str]
) -> Iterator[Operand]:
    """Yield the inputs that the other side names, where a side has none of its own."""
    if any(item.role == "in" for item in own):
        return
    places: dict[str, int] = {}
    for record, info in enumerate(dump.infos):
        places.setdefault(info.name, record)
    for item in other:
        place = places.get(partners.get(item.tensor.info.name, ""))
        if item.role == "in" and place is not None:
            yield Operand(side, "in", dump.read(place), place)


def read_quantisation(dump: DumpReader) -> Iterator[dict[str, Any]]:
    """Yield name, type, scale and zero point of every tensor for which the headers of a dump tell a scale."""
    read_header = getattr(dump, "header", None)
    if read_header is None:  # text
        return
    for record in {info.name: record for record, info in reversed(list(enumerate(dump.infos)))}.values():
        header = read_header(record)
        if header.scale.strip("0.") or header.zero_point != "0":
            yield {
                "name": header.info.name, "type": header.type_name, "scale": header.scale,
                "zero_point": header.zero_point, "constant": header.info.constant,
            }  # fmt: skip


def _store_operands(archive: zipfile.ZipFile, operands: Sequence[Operand]) -> Iterator[dict[str, Any]]:
    """Write each operand as ``.npy`` and yield what there is to say of it."""
    import numpy as np

    names = FileNames()
    for item in operands:
        info = item.tensor.info
        label = names.claim(f"{item.side}_{item.role}_{info.name}", ".npy").removeprefix(f"{item.side}_")
        target = f"suspect/{item.side}/{label}"
        with archive.open(_make_entry(target), "w", force_zip64=True) as file:
            np.lib.format.write_array(file, np.ascontiguousarray(item.tensor.array), allow_pickle=False)
        yield {
            "file": target, "side": item.side, "role": item.role, "name": info.name, "shape": list(info.shape),
            "dtype": str(info.dtype), "op_type": info.op_type, "op_index": info.op_index, "port": info.port,
        }  # fmt: skip


class _Shelf:
    """The folder ``config``: every file once, whatever its name, under a name of its own."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names = FileNames()
        self._stored: set[str] = set()

    def store(self, path: str) -> None:
        """Write a copy of a file unless the same contents are there; raises ConfigError."""
        digest = mark_file(path).sha256
        if digest is None or digest not in self._stored:
            stem, suffix = os.path.splitext(os.path.basename(path))
            _store_file(self._archive, f"config/{self._names.claim(stem, suffix[:20])}", path)
            self._stored.add(digest or "")


def _store_origin(archive: zipfile.ZipFile, side: str, dump: DumpReader, shelf: _Shelf, remarks: list[str]) -> None:
    """Write the manifest of a dump, and the scripts and configs that it names if they are still what they were."""
    manifest, note = read_manifest(dump.path)
    if manifest is None:
        remarks.append(f"{side}: {note or 'the dump has no manifest'}")
        return
    _store_file(archive, f"manifests/{side}.json", name_manifest(dump.path))
    for role in ("preprocess", "input_config"):
        for mark in manifest.files.get(role, ()):
            if mark.sha256 is not None and mark_file(mark.path).sha256 == mark.sha256:
                shelf.store(mark.path)
            else:
                remarks.append(f"{side}: {role} {mark.path} is not what the dump was made with any more: left out")


def _make_entry(name: str) -> zipfile.ZipInfo:
    """Return the head of one member."""
    entry = zipfile.ZipInfo(name, _DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _store(archive: zipfile.ZipFile, name: str, pieces: Iterable[bytes]) -> None:
    """Write one member, piece by piece."""
    with archive.open(_make_entry(name), "w", force_zip64=True) as file:
        for piece in pieces:
            file.write(piece)


def _store_json(archive: zipfile.ZipFile, name: str, value: object) -> None:
    """Write one member as JSON."""
    _store(archive, name, [json.dumps(value, indent=1).encode() + b"\n"])


def _store_file(archive: zipfile.ZipFile, name: str, path: str) -> None:
    """Write a copy of a file; raises ConfigError."""
    file = OpenFile(path, "bundle", ConfigError)
    _store(archive, name, (file.read(_CHUNK, start) for start in range(0, file.size, _CHUNK)))


def _describe(comparison: Comparison, suspect: LayerResult | None, with_weights: bool, remarks: Sequence[str]) -> str:
    """Return the README of the bundle."""
    lines = [
        "What ipudebug bundle put together about one suspect operator. Start with report.html.",
        "",
        f"sample (suspect):    {comparison.sample.path}",
        f"benchmark (trusted): {comparison.benchmark.path}",
        f"suspect operator:    {suspect.sample.info.op_type} that makes {suspect.name}" if suspect else "no suspect",
        f"weights:             {'of the suspect operator only' if with_weights else 'left out'}",
        "",
        *remarks,
    ]
    return "".join(f"{show_valid(line)}\n" for line in lines)
