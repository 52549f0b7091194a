"""Dumps: many tensors <-> one file.

A dump format is one module here that exports ``FORMAT``. ``open_dump`` asks each whether it knows a file by its
beginning; ``write_dump`` writes the binary one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, Protocol

from ipudebug.errors import TruncatedDump, UnknownFormat
from ipudebug.registry import Registry

if TYPE_CHECKING:
    from ipudebug.files import OpenFile
    from ipudebug.tensor import Tensor, TensorInfo

DialectName = Literal["simulator", "simulator-1.1.5", "framework", "tflite"]


class DumpReader(Protocol):
    """An opened dump: what it holds is known, nothing of it is loaded.

    Attributes:
        path: the file.
        infos: one entry a record, in file order; a tensor appears as ``out`` and again as ``in`` for every reader.
        is_float: every payload is float32; False for a raw dump of integers.
        notes: what a user should know of this file ("text: 6 decimals only").
    """

    path: str
    infos: tuple[TensorInfo, ...]
    is_float: bool
    notes: tuple[str, ...]

    def read(self, index: int) -> Tensor:
        """Return record ``index``; its data is loaded when it is used."""
        ...


class DumpFormat(Protocol):
    """One way to write tensors into a file."""

    def recognise(self, head: bytes) -> bool:
        """Return whether a file that begins with ``head`` (up to HEAD bytes) is of this format."""
        ...

    def open(self, file: OpenFile) -> DumpReader:
        """Read the index of the file; raises DumpError."""
        ...


DUMP_FORMATS: Registry[DumpFormat] = Registry(
    __name__, "FORMAT", "dump format", besides=("decimals", "header", "folder", "sink", "writer")
)
HEAD = 1 << 18  # the header of the first record fits


def open_dump(path: str | os.PathLike[str], what: str = "dump") -> DumpReader:
    """Return a reader of any known dump: binary or text, float or integer, of every dialect.

    Opening costs the index: headers are read, payloads are not. ``what`` names the file's part in messages.

    Raises:
        UnknownFormat: the file is missing, unreadable or no dump; the message says what it looks like.
        TruncatedDump: it ends too early; the message says where, and what was expected.
        CorruptDump: it breaks the grammar or contradicts itself.
    """
    from ipudebug.files import OpenFile

    file = OpenFile(path, what, UnknownFormat)
    head = file.read(HEAD, 0)
    for dump_format in DUMP_FORMATS.values():
        if dump_format.recognise(head):
            return dump_format.open(file)
    if head and len(head) < 11 and b"isFloat: 0\nisFloat: 1\n".find(head) in (0, 11):
        raise TruncatedDump(
            f"{file.path}: the file ends inside its first line", "dump again, completely, and copy the file"
        )
    from ipudebug.signatures import describe

    raise UnknownFormat(
        f"{what}: {file.path} is no dump: expected a first line 'isFloat: 0' or 'isFloat: 1', found {describe(head)}",
        "give the sigma_outtensor_dump.bin of a simulator or the *_outtensor_dump.bin of dump-onnx",
    )


def write_dump(
    path: str | os.PathLike[str], tensors: Iterable[Tensor], dialect: DialectName = "simulator"
) -> list[TensorInfo]:
    """Write tensors to a binary dump, drawing each while those before are being written; return what was written.

    At most some tens of megabytes wait to be written. An array must stay as it is once it was handed over.
    Floating-point and framework dumps hold float32 whatever the tensor's dtype; a simulator dump whose first tensor
    is an integer with ``quant`` is raw. The file appears complete or not at all.

    Args:
        path: the file to write.
        tensors: in execution order.
        dialect: ``simulator`` (with shapes), ``simulator-1.1.5`` (without), ``framework`` (dump-onnx, dump-caffe) or
            ``tflite``.

    Raises:
        CorruptDump: a name or op type that the format cannot hold (a line break).
        OutputError: the file cannot be written.
    """
    from ipudebug.dumps.writer import DIALECTS, write_blocks

    return write_blocks(path, tensors, DIALECTS[dialect])
