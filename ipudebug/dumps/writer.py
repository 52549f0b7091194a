"""Writes the binary dump, in exactly one dialect; block.py has the grammar."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ipudebug.dumps.header import FLOAT, Header, header_of
from ipudebug.files import replace_file
from ipudebug.tensor import FileTensor, Tensor, TensorInfo


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

    ``headers`` gives the header fields verbatim (to rewrite a dump); otherwise they are made from each ``info``.
    """
    given = iter(headers) if headers is not None else None
    written: list[TensorInfo] = []
    previous: TensorInfo | None = None
    size_line = b""
    with replace_file(path) as file:
        for tensor in tensors:
            info = tensor.info
            if is_float is None:
                is_float = dialect.always_float or info.quant is None or info.dtype.kind == "f"
            if previous is None:
                file.write(b"isFloat: %d\n" % is_float)
            elif dialect.siblings and (previous.op_index, previous.role) == (info.op_index, info.role):
                file.write(size_line)
            header = next(given) if given is not None else header_of(info, is_float=is_float)
            lines = header.lines(with_shape=dialect.with_shape)
            dtype = FLOAT if is_float or info.dtype.kind == "f" else info.dtype.newbyteorder("<")
            size_line = b"//buffer data size: %d\n" % (info.size * dtype.itemsize)
            file.write(lines + size_line)
            for piece in payload_pieces(tensor, dtype):
                file.write(piece)
            file.write(dialect.terminator)
            written.append(info)
            previous = info
        if previous is None:
            file.write(b"isFloat: %d\n" % (True if is_float is None else is_float))
    return written


_PIECE = 1 << 18  # elements converted at a time: a few hundred KB, so that the copy stays in the cache


def payload_pieces(tensor: Tensor, dtype: np.dtype) -> Iterable[memoryview]:
    """Yield the elements in ``dtype`` as consecutive pieces of bytes; a dense array of that dtype is not copied."""
    size = tensor.info.size
    if size == 0:
        return
    if not isinstance(tensor, FileTensor) and tensor.array.dtype == dtype and tensor.array.flags.c_contiguous:
        yield tensor.array.reshape(-1).view(np.uint8).data
        return
    scratch = np.empty(min(size, _PIECE), dtype)
    for start in range(0, size, _PIECE):
        piece = scratch[: min(_PIECE, size - start)]
        tensor.copy_into(piece, start)
        yield piece.view(np.uint8).data
