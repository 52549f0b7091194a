"""The file around the FlatBuffer: which kind of .sim it is, and where its FlatBuffer begins (SPEC 10.1, 10.6)."""

from __future__ import annotations

import os

from ipudebug.errors import ModelError
from ipudebug.files import OpenFile
from ipudebug.signatures import NEWER_SIM, OFFLINE, TFLITE
from ipudebug.sim.model import Stage
from ipudebug.sim.vendor.flatbuffer import FlatBuffer

_LARGEST = (1 << 31) - 1  # an offset of a FlatBuffer has 31 bits
_HEAD = 1 << 16
_OFFLINE_AT = 8192

STAGES = {
    "Sigmastar Float": Stage.FLOAT,
    "Sigmastar Cmodel Float": Stage.CMODEL_FLOAT,
    "Sigmastar Cmodel With IPU CTRL": Stage.FIXED,
    "Sigmastar Cmodel Convert Image": Stage.OFFLINE,
}
"""The description that a model carries -> its stage."""

_KINDS = "a .sim of SDK 1.1.5 (float, cmodel float, fixed, or compiled)"


def is_vendor(head: bytes) -> bool:
    """Return whether a file that begins with ``head`` (8 bytes suffice) is a vendor's .sim or a TFLite file."""
    return head[:4] == OFFLINE or head[4:8] in (TFLITE, NEWER_SIM)


def load_flatbuffer(path: str | os.PathLike[str]) -> FlatBuffer:
    """Return the FlatBuffer of a .sim file, cut out of its container where it has one.

    Raises ModelError for a file that is none, with what it looks like.
    """
    file = OpenFile(path, "the model", ModelError)
    if file.size > _LARGEST:
        raise ModelError(
            f"{file.path}: not recognised model: {file.size} bytes, a .sim has at most {_LARGEST}",
            f"give {_KINDS}",
        )
    head = file.read(_HEAD, 0)
    if head[:4] != OFFLINE and head[4:8] != TFLITE:
        raise _refuse(file, head)
    data = bytearray(file.size)
    if data:
        try:
            file.read_into(memoryview(data), 0)
        except EOFError as reason:
            raise ModelError(str(reason), "do not write to the model while it is read") from None
    whole = bytes(data)
    del data
    return FlatBuffer(whole[_find_embedded(file, whole) :] if head[:4] == OFFLINE else whole, file.path)


def _find_embedded(file: OpenFile, data: bytes) -> int:
    """Return where the FlatBuffer of a compiled model begins: its usual place, else where its identifier says."""
    if data[_OFFLINE_AT + 4 : _OFFLINE_AT + 8] == TFLITE:
        return _OFFLINE_AT
    start = data.find(TFLITE, 8) - 4
    if start < 4:
        raise ModelError(
            f"{file.path}: the compiled model (SGSI) holds no FlatBuffer: no TFL3 in {file.size} bytes",
            "the file is damaged, or of a newer toolchain: compile the model again",
        )
    return start


def _refuse(file: OpenFile, head: bytes) -> ModelError:
    """Return the error for a file that this reader does not know."""
    what = f"{file.path}: not recognised model"
    if len(head) < 8:
        return ModelError(f"{what}: {len(head)} bytes are too few for a .sim", "the file is incomplete: copy it again")
    if head[4:8] == NEWER_SIM or head[:4] == NEWER_SIM:
        return ModelError(
            f"{what}: a .sim of a newer toolchain (identifier SIM2), whose tables are not public",
            f"give {_KINDS}; or start from the original model: `ipudebug convert`",
        )
    if _looks_encrypted(head):
        return ModelError(
            f"{what}: no structure in its first {len(head)} bytes: encrypted, compressed or damaged",
            f"give {_KINDS}, as the toolchain wrote it",
        )
    shown = head[:8].hex(" ")
    return ModelError(f"{what}: it begins with {shown}, expected TFL3 at byte 4 or SGSI at byte 0", f"give {_KINDS}")


def _looks_encrypted(head: bytes) -> bool:
    """Return whether bytes are as evenly spread as noise is: of 256 values none much more frequent than the others."""
    if len(head) < 4096:
        return False
    counts = [head.count(bytes([value])) for value in range(256)]
    expected = len(head) / 256
    spread = sum((count - expected) ** 2 for count in counts) / expected
    return spread < 2 * 255  # chi-square of noise is 255 +- 23; of any model or text it is in the thousands
