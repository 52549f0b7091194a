"""A path -> what kind of model file it is, told by its first bytes and its metadata, never by its name.

========  ==========================  =============================================================================
kind      bytes                       stage
========  ==========================  =============================================================================
IPUDEBUG  an ONNX file                ``ipudebug.stage`` of its metadata: float or fixed
SEALED    a row of MAGICS             offline
VENDOR    ``TFL3`` or ``SIM2`` at 4   the description string of the FlatBuffer (Model slot 3, SPEC 10.1)
VENDOR    ``SGSI`` at 0               offline
ONNX      an ONNX file                none: an original model
TFLITE    ``TFL3`` at 4               none: an original model
CAFFE     a prototxt or .caffemodel   none: an original model
OTHER     anything else               none: not recognised
========  ==========================  =============================================================================
"""

from __future__ import annotations

import enum
import mmap
import os
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipudebug.errors import ModelError
from ipudebug.files import OpenFile
from ipudebug.runners.protobuf import BYTES, WireError, read_fields, read_text
from ipudebug.signatures import NEWER_SIM, OFFLINE, TFLITE, recognise
from ipudebug.sim.model import Stage
from ipudebug.sim.seal_header import MAGIC
from ipudebug.sim.stage import SimFacts, read_facts

if TYPE_CHECKING:
    from ipudebug.runners.protobuf import Buffer


class Kind(enum.Enum):
    """Who made a file, and in which format."""

    IPUDEBUG = "simulated model"
    SEALED = "sealed model"
    VENDOR = "SigmaStar model"
    ONNX = "ONNX model"
    TFLITE = "TFLite model"
    CAFFE = "Caffe model"
    OTHER = "unknown"


MAGICS: dict[tuple[int, bytes], tuple[Kind, Stage]] = {
    (0, OFFLINE): (Kind.VENDOR, Stage.OFFLINE),
    (0, MAGIC): (Kind.SEALED, Stage.OFFLINE),
}
"""Offset and bytes that alone tell kind and stage; looked at before anything else."""
FLATBUFFERS = (TFLITE, NEWER_SIM)
"""File identifiers, at byte 4, of files whose description string tells the rest."""
INTERMEDIATE = "SGS MODEL"
"""The description of what the vendor's converter makes on its way."""
_METADATA, _GRAPH, _OPSET = 14, 7, 8  # fields of ModelProto
_DESCRIPTION_SLOT = 3


class NoModel(ModelError, FileNotFoundError):
    """There is no such model."""


class NotRecognised(ModelError, ValueError):
    """The file is no model of the kind that was asked for."""


@dataclass(frozen=True, slots=True)
class SimFile:
    """What a model file is.

    Attributes:
        path: the file.
        kind: maker and format.
        stage: None for an original model, an intermediate of the vendor's, or no model at all.
        what: the same in words, for messages: ``a float model``, ``a JPEG image``.
        facts: what one of ours says about itself; None for any other.
        description: the FlatBuffer's description string, of the vendor's files.
    """

    path: str
    kind: Kind
    stage: Stage | None
    what: str
    facts: SimFacts | None = None
    description: str = ""


def open_sim(path: str, *stages: Stage) -> SimFile:
    """Return what a simulated model is; ``stages`` are those that will do, all if none is named.

    Raises NoModel, and NotRecognised where it is something else or at another stage.
    """
    wanted = stages or tuple(Stage)
    found = recognise_model(path)
    if found.stage not in wanted:
        names = " or ".join(stage.value for stage in wanted)
        hint = _HINTS.get(found.kind, f"give the {names} model")
        raise NotRecognised(f"Not recognized model. {path}: expected a {names} model, found {found.what}", hint)
    return found


_HINTS = {
    Kind.ONNX: "make a float model from it first: ipudebug convert",
    Kind.TFLITE: "a TFLite model is an original: run-tflite and dump-tflite run it",
    Kind.CAFFE: "a Caffe model is an original: run-caffe and dump-caffe run it",
}


def recognise_model(path: str) -> SimFile:
    """Return what a file is, OTHER included; raises NoModel, or ModelError for a file that cannot be read."""
    if not os.path.exists(path):
        raise NoModel(f"No such model: {path}", "check the path and the working directory")
    file = OpenFile(path, "the model", ModelError)
    if file.size == 0:
        return SimFile(path, Kind.OTHER, None, "an empty file")
    with mmap.mmap(file.fd, 0, access=mmap.ACCESS_READ) as data:
        for (offset, magic), (kind, stage) in MAGICS.items():
            if data[offset : offset + len(magic)] == magic:
                return SimFile(path, kind, stage, _describe(stage, "ipudebug" if kind is Kind.SEALED else "the vendor"))
        if data[4:8] in FLATBUFFERS:
            return _recognise_flatbuffer(path, data)
        return _recognise_onnx(path, data) or _recognise_other(path, data)


def _describe(stage: Stage | None, maker: str) -> str:
    """Return a stage in words: ``an offline model of the vendor's``."""
    if stage is None:
        return f"an intermediate model of {maker}'s converter"
    return f"{'an' if stage is Stage.OFFLINE else 'a'} {stage.value} model of {maker}'s"


def _recognise_flatbuffer(path: str, data: mmap.mmap) -> SimFile:
    """Return what a TFLite file or a .sim of the vendor's is."""
    from ipudebug.sim.vendor.container import STAGES  # only here, so that a model of ours loads without that package

    text = read_description(data)
    if text == INTERMEDIATE or text in STAGES:
        stage = STAGES.get(text)
        what = f"{_describe(stage, 'the vendor')} ({text})"
        return SimFile(path, Kind.VENDOR, stage, what, description=text)
    if data[4:8] == TFLITE:
        return SimFile(path, Kind.TFLITE, None, "a TFLite model", description=text)
    what = f"a .sim file of the vendor's with the description {text!r}"
    return SimFile(path, Kind.VENDOR, None, what, description=text)


def _recognise_onnx(path: str, data: Buffer) -> SimFile | None:
    """Return what an ONNX file is, or None for another file; raises ModelError for metadata that are not in order.

    Only the outermost fields are looked at: the graph with the weights is stepped over.
    """
    metadata: dict[str, str] = {}
    numbers = set()
    try:
        for field in read_fields(data, 0, len(data)):
            numbers.add(field.number)
            if field.number == _METADATA and field.wire == BYTES:
                pair = {part.number: read_text(data, part) for part in read_fields(data, field.begin, field.end)}
                metadata[pair.get(1, "")] = pair.get(2, "")
    except WireError:
        return None
    if not {_GRAPH, _OPSET} <= numbers:
        return None
    facts = read_facts(metadata, path)
    if facts is None:
        return SimFile(path, Kind.ONNX, None, "an ONNX model")
    return SimFile(path, Kind.IPUDEBUG, facts.stage, _describe(facts.stage, "ipudebug"), facts)


def _recognise_other(path: str, data: mmap.mmap) -> SimFile:
    """Return what a file is that is neither a simulated model nor ONNX."""
    found = recognise(data)
    what = found.what if found is not None else "a file of no known format"
    kind = Kind.CAFFE if "caffe" in what.lower() else Kind.OTHER
    return SimFile(path, kind, None, what)


def read_description(data: Buffer) -> str:
    """Return the description string of a TFLite FlatBuffer; an empty text where it has none or is damaged."""
    try:
        (table,) = struct.unpack_from("<I", data, 0)
        (back,) = struct.unpack_from("<i", data, table)
        vtable = table - back
        (size,) = struct.unpack_from("<H", data, vtable)
        place = 4 + 2 * _DESCRIPTION_SLOT
        slot = struct.unpack_from("<H", data, vtable + place)[0] if place + 2 <= size and vtable >= 0 else 0
        if not slot:
            return ""
        (step,) = struct.unpack_from("<I", data, table + slot)
        start = table + slot + step
        (length,) = struct.unpack_from("<I", data, start)
    except struct.error:
        return ""
    return bytes(data[start + 4 : start + 4 + min(length, 200)]).decode("utf-8", "replace")
