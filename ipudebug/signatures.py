"""What a file is, told from its bytes: for the message that says that it is not what was asked for.

A signature is certain: a few bytes at a fixed place that no other kind of file has there. What ``recognise`` tells
beyond signatures is a guess, good enough for a message.
"""

from __future__ import annotations

import mmap
import re
from dataclasses import dataclass

Buffer = bytes | mmap.mmap

TFLITE = b"TFL3"
"""At byte 4: a TFLite FlatBuffer; those with a description of SigmaStar's are their .sim."""
NEWER_SIM = b"SIM2"
"""At byte 4: a .sim of a newer toolchain."""
OFFLINE = b"SGSI"
"""At byte 0: a compiled model of SigmaStar's."""
_HEAD = 4096


@dataclass(frozen=True, slots=True)
class Signature:
    """A kind of file.

    Attributes:
        what: the kind, as messages name it: ``a PNG image``.
        hint: what to do with it.
        offset, magic: where which bytes tell it.
    """

    what: str
    hint: str
    offset: int = 0
    magic: bytes = b""


_SIMULATE = "for a .sim or .img model use simulate"
_IMAGE = "the image goes to -i, the model to --model or --model_file"
_CAFFE = "for a Caffe model use run-caffe or dump-caffe"
_DUMP = b"isFloat:"
_SIM = Signature("a SigmaStar .sim model", _SIMULATE, 4, NEWER_SIM)
SIGNATURES = (
    Signature("an offline model for a SigmaStar IPU", _SIMULATE, 0, OFFLINE),
    Signature("an offline model of ipudebug's", _SIMULATE, 0, b"\x89IPUIMG"),
    _SIM,
    Signature("a model in onnxruntime's own .ort format", "give the .onnx file that it was made from", 4, b"ORTM"),
    Signature("a tensor dump", "for a dump use compare", 0, _DUMP),
    Signature(
        "a pointer of Git LFS, not the file itself", "fetch the file: git lfs pull", 0, b"version https://git-lfs"
    ),
    Signature(
        "a zip archive (.npz files and PyTorch checkpoints are, too)",
        "unpack it, or export the model to ONNX",
        0,
        b"PK\x03\x04",
    ),
    Signature("a gzip archive: unpack it first", "gunzip FILE", 0, b"\x1f\x8b"),
    Signature("an xz archive: unpack it first", "xz -d FILE", 0, b"\xfd7zXZ"),
    Signature("a bzip2 archive: unpack it first", "bunzip2 FILE", 0, b"BZh"),
    Signature("a 7-zip archive: unpack it first", "7z x FILE", 0, b"7z\xbc\xaf"),
    Signature("an HDF5 file (Keras models are)", "export the model to ONNX: tf2onnx", 0, b"\x89HDF"),
    *(
        Signature("a Python pickle", "export the model to ONNX: torch.onnx.export", 0, bytes([0x80, protocol]))
        for protocol in range(2, 6)
    ),
    Signature("a NumPy .npy file", "give the file that it was made from", 0, b"\x93NUMPY"),
    Signature("a JPEG image", _IMAGE, 0, b"\xff\xd8\xff"),
    Signature("a PNG image", _IMAGE, 0, b"\x89PNG"),
    Signature("a GIF image", _IMAGE, 0, b"GIF8"),
    Signature("a BMP image", _IMAGE, 0, b"BM"),
    Signature("an ELF program", "check the path", 0, b"\x7fELF"),
    Signature("a PDF document", "check the path", 0, b"%PDF"),
)

_ONNX = re.compile(rb"\x08[\x01-\x20][\x12\x1a\x22\x28\x32\x3a\x42]")
"""A ModelProto: its IR version, then the tag of one of its fields."""


def find_signature(data: Buffer) -> Signature | None:
    """Return the kind of file that ``data`` is, if a signature tells it.

    A .sim is told from a TFLite model by its description, which lies anywhere in the file: give all of it.
    """
    for signature in SIGNATURES:
        if data[signature.offset : signature.offset + len(signature.magic)] == signature.magic:
            return signature
    if data[4:8] != TFLITE:
        return None
    if data.find(b"Sigmastar") >= 0 or data.find(b"SGS MODEL") >= 0:
        return _SIM
    return Signature("a TFLite model", "for a TFLite model use run-tflite", 4, TFLITE)


def recognise(data: Buffer) -> Signature | None:
    """Return what a file seems to be that is no ONNX model; None if that cannot be told."""
    found = find_signature(data)
    if found is not None:
        return found
    head = data[:_HEAD]
    if not head.strip(b"\0"):
        return Signature("only zero bytes", "the file was probably not copied completely: copy it again")
    if b"layer {" in head or b"layers {" in head or b"input_dim:" in head:
        return Signature("a Caffe prototxt", _CAFFE)
    if _is_text(head):
        return Signature("text", "give the model's own file")
    if data[:1] == b"\x0a":  # a message whose first field is a text: Caffe's NetParameter begins with the net's name
        return Signature("a protobuf file of another kind (a .caffemodel is one)", _CAFFE)
    return None


def describe(head: bytes) -> str:
    """Return what a file that is no dump and begins with ``head`` seems to be, as the end of a sentence."""
    if not head:
        return "an empty file"
    if head[4:8] == TFLITE:  # the description may lie behind the head
        return "a model (.sim or .tflite)"
    found = find_signature(head)
    if found is not None and found.magic != _DUMP:  # one that only begins like a dump is text
        return found.what
    if _ONNX.match(head):
        return "an ONNX model"
    line = head.split(b"\n", 1)[0][:40]
    printable = sum(32 <= byte < 127 or byte in b"\t\r" for byte in line)
    if line and printable == len(line):
        return f"text that begins with {line.decode('ascii')!r}"
    return f"bytes that begin with {head[:8].hex(' ')}"


def _is_text(head: bytes) -> bool:
    """Return whether these bytes are printable text."""
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            return False
        text = head[: error.start].decode()
    return all(char.isprintable() or char in "\r\n\t\f" for char in text)
