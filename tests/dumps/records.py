"""Bytes of dumps, put together here and not by the writer under test."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from ipudebug import DumpReader, Tensor, TensorInfo, open_dump

END = b"\n};\n"


def floats(*values: float) -> bytes:
    """Return little-endian float32 bytes."""
    return struct.pack(f"<{len(values)}f", *values)


def header(
    name: bytes = b"x",
    *,
    role: bytes = b"out",
    port: int = 0,
    scale: bytes = b"0.000000",
    zero: bytes = b"0",
    type_name: bytes = b"float",
    constant: bytes = b"0",
    shape: str = "",
    op: bytes = b"CONV_2D",
    index: int = 0,
    size: object = None,
) -> bytes:
    """Return the two header lines, and the size line if ``size`` is given; ``shape`` such as ``[1, 2] dims:2``."""
    line = b"//%s %d s: %s z: %s type: %s name: %s bConstant:%s" % (role, port, scale, zero, type_name, name, constant)
    line += f" shape:{shape}".encode() if shape else b""
    line += b"\nop_%s[%d] %s = {\n" % (role, index, op)
    return line if size is None else line + f"//buffer data size: {size}\n".encode()


def record(payload: bytes = b"", name: bytes = b"x", *, end: bytes = END, **fields: object) -> bytes:
    """Return one whole record: header, size line, payload, terminator."""
    fields.setdefault("size", len(payload))
    return header(name, **fields) + payload + end  # type: ignore[arg-type]


def dump(*records: bytes, is_float: int = 1) -> bytes:
    """Return a dump of records."""
    return b"isFloat: %d\n" % is_float + b"".join(records)


def open_bytes(folder: Path, content: bytes) -> DumpReader:
    """Return a reader of ``content``, put into a file of ``folder``."""
    path = folder / "test.bin"
    path.write_bytes(content)
    return open_dump(path)


def payloads(reader: DumpReader) -> list[bytes]:
    """Return the bytes of every tensor."""
    return [reader.read(number).array.tobytes() for number in range(len(reader.infos))]


def names(reader: DumpReader) -> list[str]:
    """Return the name of every tensor."""
    return [info.name for info in reader.infos]


def tensor(array: np.ndarray, name: str = "x", **fields: object) -> Tensor:
    """Return a tensor in memory."""
    return Tensor(TensorInfo(name, array.shape, array.dtype, **fields), array)  # type: ignore[arg-type]
