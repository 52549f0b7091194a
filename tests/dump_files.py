"""Writes small dumps byte by byte, without ipudebug's own writer."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

Record = tuple  # (name, values) or (name, values, shape) or with a dict of header fields at the end


def record(
    name: str | bytes,
    values: Iterable[float],
    shape: Sequence[int] | None = None,
    *,
    op: str = "RELU",
    index: int = 0,
    role: str = "out",
    constant: bool = False,
    type_name: str = "float",
    code: str = "f",
) -> bytes:
    """Return one record of a binary dump as SPEC 6.1 has it."""
    values = list(values)
    payload = struct.pack(f"<{len(values)}{code}", *values)
    spelled = name if isinstance(name, bytes) else os.fsencode(name)
    dims = f" shape:[{', '.join(map(str, shape))}] dims:{len(shape)}" if shape is not None else ""
    return (
        f"//{role} 0 s: 0.000000 z: 0 type: {type_name} name: ".encode()
        + spelled
        + f" bConstant:{int(constant)}{dims}\n"
        f"op_{role}[{index}] {op} = {{\n//buffer data size: {len(payload)}\n".encode()
        + payload
        + b"\n};\n"
    )


def write_dump_file(path: Path, *records: bytes, is_float: bool = True) -> Path:
    """Write a dump of these records and return its path."""
    path.write_bytes(b"isFloat: %d\n" % is_float + b"".join(records))
    return path
