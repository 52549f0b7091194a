"""What a file looks like, for the message that says that it is no dump."""

import re

_SIGNATURES = (
    (b"PK\x03\x04", "a zip archive (or .npz)"),
    (b"\x93NUMPY", "a NumPy .npy file"),
    (b"\x1f\x8b", "a gzip archive: unpack it first"),
    (b"\xfd7zXZ", "an xz archive: unpack it first"),
    (b"7z\xbc\xaf", "a 7-zip archive: unpack it first"),
    (b"BZh", "a bzip2 archive: unpack it first"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"BM", "a BMP image"),
    (b"\x7fELF", "an ELF program"),
    (b"%PDF", "a PDF document"),
    (b"SGSI", "an offline model (SGSI)"),
)

_ONNX = re.compile(rb"\x08[\x01-\x20][\x12\x1a\x22\x28\x32\x3a\x42]")
"""A ModelProto: its IR version, then the tag of one of its fields."""


def describe(head: bytes) -> str:
    """Return what a file that begins with ``head`` seems to be, as the end of a sentence."""
    if not head:
        return "an empty file"
    if head[4:8] in (b"TFL3", b"SIM2"):
        return "a model (.sim or .tflite)"
    for signature, what in _SIGNATURES:
        if head.startswith(signature):
            return what
    if _ONNX.match(head):
        return "an ONNX model"
    line = head.split(b"\n", 1)[0][:40]
    printable = sum(32 <= byte < 127 or byte in b"\t\r" for byte in line)
    if line and printable == len(line):
        return f"text that begins with {line.decode('ascii')!r}"
    return f"bytes that begin with {head[:8].hex(' ')}"
