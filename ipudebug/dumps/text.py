r"""The dump as text: specification, reader, writer. It holds six decimals only: for reading, not for comparing.

Headers as in header.py, then the values, 16 a row, each followed by ``", "``:

* simulators, ``isFloat: 1``: an empty line, rows of ``%.6f``, each ending in a line break, then ``\n};\n``.
* simulators, ``isFloat: 0``: every *byte* as ``%6d``, unsigned, low byte first (SDK 1.1.5; 32-bit records may lack
  their values), or every element as ``%6d``, ``%8d`` or ``%12d`` by its type (later ones; the width tells them apart).
* framework scripts: a size line, an empty line, rows of ``%.6f``, a line break after each full row, then ``\n}\n``.
"""

from __future__ import annotations

import contextlib
import math
import re
import warnings
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import numpy as np

from ipudebug.dumps.decimals import IN_ROW, format_rows
from ipudebug.dumps.header import (
    AGAIN,
    FIRST,
    FLOAT,
    HEADER0,
    HEADER1,
    UNKNOWN,
    Header,
    begins_header,
    parse_header,
    show,
)
from ipudebug.errors import CorruptDump, TruncatedDump
from ipudebug.files import OpenFile
from ipudebug.tensor import Tensor, TensorInfo

_FIRST = re.compile(FIRST)
_HEADERS = re.compile(HEADER0 + HEADER1)
_SIZE = re.compile(rb"//(?:buffer data size: \d+|data size is \d+ bits)\s*\Z")
_END = re.compile(rb"\};?\s*\Z")
_LONGEST_LINE = 1 << 20
_PIECE = 1 << 20  # bytes of text that are parsed at a time


class TextTensor(Tensor):
    """A tensor whose values stand as text in a file; they are parsed when they are asked for."""

    __slots__ = ("_bytewise", "_file", "_parsed", "_span")

    def __init__(self, info: TensorInfo, file: OpenFile, span: tuple[int, int], bytewise: bool) -> None:
        """Refer to the text between two offsets of ``file``; ``bytewise`` means that each number is one byte."""
        self.info = info
        self._file = file
        self._span = span
        self._bytewise = bytewise
        self._parsed: np.ndarray | None = None  # while copy_into goes through the tensor

    @property
    def array(self) -> np.ndarray:
        """The values; raises CorruptDump where one is no number of the tensor's type, or one is missing."""
        info, where = self.info, f"{self._file.path}: {show(self.info.name)}"
        one_byte = self._bytewise or info.dtype == UNKNOWN
        dtype = np.dtype("u1") if one_byte else info.dtype
        values = np.empty(info.size * (info.dtype.itemsize if one_byte else 1), dtype)
        missing = values
        try:
            for text in self._read_pieces():
                part = parse_values(text, dtype)
                missing[: part.size] = part[: missing.size]
                missing = missing[part.size :]
        except (ValueError, OverflowError) as reason:
            raise CorruptDump(f"{where}: {str(reason)[:99]}", AGAIN) from None
        if missing.size:
            found = values.size - missing.size
            raise CorruptDump(f"{where}: expected {values.size} numbers, found {found}", AGAIN)
        return values.view(info.dtype).reshape(info.shape)

    def _read_pieces(self) -> Iterator[bytes]:
        """Yield the text in pieces that end between two numbers, as each number takes many times its size to parse."""
        start, stop = self._span
        rest = b""
        for at in range(start, stop, _PIECE):
            count = min(_PIECE, stop - at)
            text = self._file.read(count, at)
            if len(text) < count:
                raise TruncatedDump(
                    f"{self._file.path}: {show(self.info.name)}: the file became shorter while it was read",
                    "let the dump be written to its end, then start again",
                )
            cut = max(text.rfind(end) for end in (b" ", b",", b"\n")) + 1 or count  # no number is as long as a piece
            yield rest + text[:cut]
            rest = text[cut:]
        yield rest

    def copy_into(self, out: np.ndarray, start: int) -> None:
        """Copy ``out.size`` elements from ``start`` on; the text is parsed once for a pass from start to end."""
        whole = Tensor(self.info, self.array if self._parsed is None else self._parsed)
        whole.copy_into(out, start)
        self._parsed = whole.array if start + out.size < self.info.size else None


def parse_values(text: bytes, dtype: np.dtype) -> np.ndarray:
    """Return the numbers in a text, separated by commas or blanks; shape (n,).

    Raises ValueError or OverflowError where one is no number, or not one of ``dtype``.
    """
    text = text.replace(b",", b" ")
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return _parse_floats(text).astype(dtype)
    values = np.array(text.split(), np.int64)
    low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    if dtype.itemsize == 1 and dtype.kind == "i":
        high = 255  # the vendor's byte of a negative number
    wrong = values[(values < low) | (values > high)]
    if wrong.size:
        raise ValueError(f"{wrong[0]} is no {dtype} number")
    return values.astype(dtype)


def _parse_floats(text: bytes) -> np.ndarray:
    """Return the numbers in a text, separated by blanks, in float64; raises ValueError where one is none."""
    if not text.strip():
        return np.empty(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # NumPy's way to tell of what it cannot read
        with contextlib.suppress(DeprecationWarning, ValueError):
            if b"(" not in text:  # it takes nan(anything) for a number
                return np.fromstring(text, np.float64, sep=" ")
    return np.array(text.split(), np.float64)  # tells which word


class TextDump:
    """A reader of one text dump; see DumpReader."""

    def __init__(self, file: OpenFile) -> None:
        """Read the index, which for text means every line once; raises TruncatedDump, CorruptDump."""
        self.path = file.path
        self._file = file
        with open(file.fd, "rb", closefd=False) as lines:
            lines.seek(0)
            first = _FIRST.match(lines.readline(64))
            assert first is not None  # recognise() has seen it
            self.is_float = first[1] == b"1"
            self._tensors = list(self._index(lines))
        self.infos = tuple(tensor.info for tensor in self._tensors)
        self.notes: tuple[str, ...] = ("dumped as text: it holds 6 decimals only; a binary dump compares exactly",)

    def read(self, index: int) -> Tensor:
        """Return record ``index``, its values still text on disk."""
        return self._tensors[index]

    def _index(self, lines: BinaryIO) -> Iterator[TextTensor]:
        """Yield the records."""
        while header := self._next_header(lines):
            start = lines.tell()
            words, width = 0, 0
            while True:
                line = lines.readline(_LONGEST_LINE)
                if not line:
                    raise TruncatedDump(
                        f"{self.path}: {show(header.info.name)}: the file ends before the closing line of its values",
                        AGAIN,
                    )
                if _END.match(line):
                    break
                if not words and _SIZE.match(line):
                    start = lines.tell()
                    continue
                if not words:
                    width = line.find(b",")
                words += line.count(b",")
            yield self._tensor(header, (start, lines.tell() - len(line)), words, width)

    def _next_header(self, lines: BinaryIO) -> Header | None:
        """Return the header of the next record, or None at the end of the file."""
        line = b"\n"
        while line and not line.strip():
            line = lines.readline(_LONGEST_LINE)
        if not line:
            return None
        at = lines.tell() - len(line)
        text = line + lines.readline(_LONGEST_LINE)
        match = _HEADERS.match(text)
        if match is None:
            if len(text) + at == self._file.size and begins_header(text) and not text.endswith(b"{\n"):
                raise TruncatedDump(f"{self.path}: at byte {at}: the file ends inside a record's header", AGAIN)
            raise CorruptDump(f"{self.path}: at byte {at}: expected the header of a record, found {text[:60]!r}", AGAIN)
        try:
            return parse_header(match, is_float=self.is_float)
        except CorruptDump as reason:
            raise CorruptDump(f"{self.path}: at byte {at}: {reason}", reason.hint) from None

    def _tensor(self, header: Header, span: tuple[int, int], words: int, width: int) -> TextTensor:
        """Return the record whose values are ``words`` numbers, the first ``width`` characters wide."""
        info = header.info
        # One number a byte where elements have several bytes; wider columns are the later writers' whole elements.
        bytewise = not self.is_float and info.dtype.itemsize > 1 and width <= 6
        elements, odd = divmod(words, info.dtype.itemsize) if bytewise else (words, 0)
        shape = header.shape if info.dtype is not UNKNOWN else None
        if odd or (shape is not None and math.prod(shape) > elements):
            wanted = list(shape) if shape is not None else "whole elements"
            raise CorruptDump(f"{self.path}: {show(info.name)}: expected {wanted}, found {words} numbers", AGAIN)
        if shape is None:
            info = TensorInfo(
                info.name, (elements,), info.dtype, None, None, info.op_type, info.op_index, info.port, info.role,
                info.constant,
            )  # fmt: skip
        return TextTensor(info, self._file, span, bytewise)


class TextFormat:
    """The text dump as one of DUMP_FORMATS."""

    def recognise(self, head: bytes) -> bool:
        """Return whether ``head`` is the first line and a header; the binary format is asked first."""
        first = _FIRST.match(head)
        return first is not None and re.compile(rb"\s*" + HEADER0 + HEADER1).match(head, first.end()) is not None

    def open(self, file: OpenFile) -> TextDump:
        """Return a reader; raises DumpError."""
        return TextDump(file)


FORMAT = TextFormat()


def write_values(file: BinaryIO, values: np.ndarray, *, break_last_row: bool) -> None:
    """Write float values as rows of 16 ``%.6f, ``; ``break_last_row`` also ends a last row that is not full."""
    file.writelines(format_rows(values, ", "))
    if break_last_row and values.size % IN_ROW:
        file.write(b"\n")


def write_text(
    file: BinaryIO,
    tensors: Iterable[Tensor],
    headers: Iterable[Header],
    *,
    is_float: bool = True,
    with_shape: bool = False,
    blank_line: bool = True,
) -> list[TensorInfo]:
    """Write tensors into an open file as a simulator's text dump (``dumpasstring``); return what was written.

    Args:
        file: where to.
        tensors: in the dump's order.
        headers: one for each.
        is_float: values as ``%.6f``; otherwise every byte as ``%6d``.
        with_shape: whether headers state shapes.
        blank_line: whether an empty line precedes a record's integers, as SDK 1.1.5 does without eliminateGarbage.
    """
    written = []
    file.write(b"isFloat: %d\n" % is_float)
    for tensor, header in zip(tensors, headers, strict=True):
        file.write(header.lines(with_shape=with_shape))
        file.write(b"\n" if is_float or blank_line else b"")
        if is_float:
            write_values(file, tensor.array.astype(FLOAT, copy=False), break_last_row=True)
        else:
            _write_bytes(file, tensor.array)
        file.write(b"\n};\n")
        written.append(tensor.info)
    return written


def _write_bytes(file: BinaryIO, values: np.ndarray) -> None:
    """Write the bytes of an array, low byte first, as rows of 16 ``%6d, ``."""
    little = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    flat = little.reshape(-1).view(np.uint8)
    for start in range(0, flat.size, IN_ROW * 1024):
        block = flat[start : start + IN_ROW * 1024].tolist()
        full, rest = divmod(len(block), IN_ROW)
        text = (("%6d, " * IN_ROW + "\n") * full + ("%6d, " * rest + "\n" if rest else "")) % tuple(block)
        file.write(text.encode())
