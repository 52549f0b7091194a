"""Writes the binary dump, in exactly one dialect; block.py has the grammar."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from ipudebug.dumps.header import FLOAT, Header, header_of
from ipudebug.dumps.sink import Sink
from ipudebug.files import replace_file
from ipudebug.tensor import Tensor, TensorInfo


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the generations of writers do differently."""

    with_shape: bool
    terminator: bytes
    siblings: bool
    always_float: bool = False


DIALECTS: dict[str, Dialect] = {
    "simulator": Dialect(with_shape=True, terminator=b"\n};\n", siblings=True),
    "simulator-1.1.5": Dialect(with_shape=False, terminator=b"\n};\n", siblings=True),
    "framework": Dialect(with_shape=True, terminator=b"", siblings=False, always_float=True),
    "tflite": Dialect(with_shape=True, terminator=b"};\n", siblings=False, always_float=True),
}


def write_blocks(
    path: str | os.PathLike[str],
    tensors: Iterable[Tensor],
    dialect: Dialect,
    headers: Iterable[Header] | None = None,
    is_float: bool | None = None,
) -> list[TensorInfo]:
    """Write a binary dump and return what was written; see ``ipudebug.write_dump``.

    The model goes on while a thread writes (see ``Sink``). ``headers`` gives the header fields verbatim (to rewrite a
    dump); otherwise they are made from each ``info``.
    """
    given = iter(headers) if headers is not None else None
    written: list[TensorInfo] = []
    previous: TensorInfo | None = None
    text, size_line = b"", b""  # what stands between two payloads
    with replace_file(path) as file, Sink(file) as sink:
        for tensor in tensors:
            info = tensor.info
            if is_float is None:
                is_float = dialect.always_float or info.quant is None or info.dtype.kind == "f"
            if previous is None:
                text = b"isFloat: %d\n" % is_float
            elif dialect.siblings and (previous.op_index, previous.role) == (info.op_index, info.role):
                text += size_line
            header = next(given) if given is not None else header_of(info, is_float=is_float)
            dtype = FLOAT if is_float or info.dtype.kind == "f" else info.dtype.newbyteorder("<")
            size_line = b"//buffer data size: %d\n" % (info.size * dtype.itemsize)
            sink.put(text + header.lines(with_shape=dialect.with_shape) + size_line, tensor, dtype)
            text = dialect.terminator
            written.append(info)
            previous = info
            del tensor  # it goes when it is written, not when the next one has come
        if previous is None:
            text = b"isFloat: %d\n" % (True if is_float is None else is_float)
        sink.put(text)
    return written
