r"""The binary dump: specification, reader, writer.

::

    file    = "isFloat: " ("0"|"1") "\n"  record*
    record  = header0 header1 size payload term          header0, header1, size: see header.py
    payload = B bytes, little-endian, B from the size line
    term    = "\n};\n" [ "//buffer data size: " B "\n" ]

``isFloat: 1``: every payload is float32, whatever the header's type. ``isFloat: 0``: integers of the header's type.

Dialects: the simulators of SDK 1.1.5 write no shape, and repeat the size line exactly where another record of the same
op and direction follows; later ones write the shape; the framework scripts (ONNX, Caffe) write the shape, no
terminator, port 0 throughout, and number the tensors; the TFLite script ends records with ``};\n``. The reader takes
every dialect, mixed if need be, and knows a record's end from its size alone: payloads may contain anything. The
writer writes exactly one dialect.

What a file could attempt, and what stops it: sizes beyond the file, compared as Python integers before anything is
read; a shape that needs more than the payload has (CorruptDump; less is legal and cut); a header without an end (at
most LONGEST bytes are looked at); digits without end (the grammar bounds them). A file cut inside a record is a
TruncatedDump; one cut exactly behind a record cannot be told from a shorter one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import replace

from ipudebug.dumps.header import (
    AGAIN,
    FIRST,
    HEADER0,
    HEADER1,
    LONGEST,
    SIZE,
    UNKNOWN,
    Header,
    begins_header,
    parse_dtype,
    parse_header,
    parse_info,
    parse_shape,
    show,
)
from ipudebug.errors import CorruptDump, TruncatedDump
from ipudebug.files import OpenFile
from ipudebug.tensor import FileTensor, Tensor, TensorInfo

_FIRST = re.compile(FIRST)
_TERM = rb"\s*(?:(?:\};?|(?P<sibling>//buffer data size: \d{1,20})(?=\s|\Z))\s*)*"
_RECORD = re.compile(_TERM + HEADER0 + HEADER1 + SIZE)
_REST = re.compile(_TERM + rb"\Z")
_TEXT_VALUES = re.compile(rb"\s*(?:-?\d+\.\d{6}|-?nan|-?inf), |\r?\n-?\d+\.?\d*,?\Z")

_LINES = (
    (HEADER0, "'//out <k> s: <f> z: <i> type: <t> name: <n> bConstant:<0|1>'"),
    (HEADER1, "'op_out[<n>] <type> = {'"),
    (SIZE, "'//buffer data size: <bytes>'"),
)

_NEAR = 1 << 10  # bytes read for the header of a record behind a large payload ...
_WINDOW = 1 << 16  # ... and where records are small, so that one read serves many


class BlockDump:
    """A reader of one binary dump; see DumpReader."""

    def __init__(self, file: OpenFile) -> None:
        """Read the index; raises TruncatedDump, CorruptDump."""
        self._file = file
        self.path = file.path
        first = _FIRST.match(file.read(64, 0))
        assert first is not None  # recognise() has seen it
        self.is_float = first[1] == b"1"
        self._headers: list[int] = []  # offset of each record's first header line
        self._offsets: list[int] = []  # offset of each payload
        self._sizes: list[int] = []  # bytes of each payload, the surplus over its shape included
        notes: list[str] = []
        self.infos = tuple(self._index(first.end(), notes))
        self.notes = tuple(notes)

    def read(self, index: int) -> Tensor:
        """Return record ``index``, its data still on disk."""
        return FileTensor(self.infos[index], self._file, self._offsets[index])

    def stored(self, index: int) -> Tensor:
        """Return record ``index`` flat, with all of its payload, also what lies beyond its shape."""
        info = self.infos[index]
        flat = replace(info, shape=(self._sizes[index] // info.dtype.itemsize,), layout=None)
        return FileTensor(flat, self._file, self._offsets[index])

    def header(self, index: int) -> Header:
        """Return the header of record ``index`` with all its fields."""
        start = self._headers[index]
        match = re.match(HEADER0 + HEADER1, self._file.read(self._offsets[index] - start, start))
        if match is None:  # it matched when the index was read
            raise TruncatedDump(f"{self.path}: at byte {start}: the file was changed while it was read", "start again")
        return parse_header(match, is_float=self.is_float)

    def _index(self, position: int, notes: list[str]) -> Iterable[TensorInfo]:
        """Yield the TensorInfo of each record, remembering where headers and payloads lie."""
        window, base, reach, longer = b"", position, _WINDOW, 0
        while True:
            match = _RECORD.match(window, position - base)
            if match is None:
                for count in (reach, LONGEST):
                    window, base = self._file.read(count, position), position
                    match = _RECORD.match(window)
                    if match is not None:
                        break
                else:
                    break
            payload = base + match.end()
            size = int(match["size"])
            info, cut = self._check(match, size, payload)
            longer += cut
            self._headers.append(base + match.start("role") - 2)
            self._offsets.append(payload)
            self._sizes.append(size)
            yield info
            position = payload + size
            reach = _WINDOW if size < _WINDOW // 4 else _NEAR
        rest = _REST.match(window) if base + len(window) == self._file.size else None
        if rest is None:
            raise self._fault(window, position)
        if rest["sibling"]:
            notes.append("ends with a repeated size line: records behind it may have been cut off")
        if longer:
            holds = "record holds more data than its" if longer == 1 else "records hold more data than their"
            notes.append(f"{longer} {holds} shape: the surplus was left out")

    def _check(self, match: re.Match[bytes], size: int, payload: int) -> tuple[TensorInfo, bool]:
        """Return a record's TensorInfo, and whether it holds more than its shape; raises where sizes contradict."""
        dtype = parse_dtype(match, is_float=self.is_float)
        elements, odd = divmod(size, dtype.itemsize)
        try:
            shape = parse_shape(match["shape"], match["dims"])
            is_flat = shape is None or dtype is UNKNOWN or _is_board_input(match, shape, elements)
            if shape is None or is_flat:  # the type alone says which elements there are
                shape = (elements,)
            info = parse_info(match, shape, is_float=self.is_float, has_shape=not is_flat)
        except CorruptDump as reason:
            start = payload - match.end() + match.start("role") - 2
            raise CorruptDump(f"{self.path}: at byte {start}: {reason}", reason.hint) from None
        left, needed = self._file.size - payload, info.size * dtype.itemsize
        if size > left or needed > size or (odd and is_flat):
            where = f"{self.path}: {show(match['name'])} at byte {payload}:"
            if size > left:
                raise TruncatedDump(f"{where} expected {size} bytes of data, found {left}", AGAIN)
            if needed > size:
                raise CorruptDump(f"{where} shape {list(shape)} needs {needed} bytes, the record has {size}", AGAIN)
            raise CorruptDump(f"{where} {size} bytes are no whole number of {dtype.itemsize}-byte elements", AGAIN)
        return info, needed < size

    def _fault(self, window: bytes, position: int) -> Exception:
        """Return the error for what stands at ``position`` instead of a record."""
        rest = re.sub(rb"\A" + _TERM, b"", window)
        where = f"{self.path}: at byte {position + len(window) - len(rest)}"
        lines = rest.split(b"\n")
        to_end = position + len(window) >= self._file.size
        # The number of the first line that is not as it should be.
        wrong = 0 if not re.match(HEADER0, rest) else 1 if not re.match(HEADER0 + HEADER1, rest) else 2
        if to_end and begins_header(rest) and len(lines) == wrong + 1:
            return TruncatedDump(
                f"{where}: the file ends inside a record's header",
                AGAIN,
            )
        expected, found = _LINES[wrong][1], lines[wrong]
        if not rest.startswith((b"//in ", b"//out ")):
            expected, found = "the header of a record ('//in' or '//out')", rest
        return CorruptDump(
            f"{where}: expected {expected}, found {found[:60]!r}",
            "if the file was written as string, or edited, dump it again as binary",
        )


def _is_board_input(match: re.Match[bytes], shape: tuple[int, ...], elements: int) -> bool:
    """Return whether a record is a board input of four bytes a pixel under a shape of three colours.

    Which of the four are the colours is for the comparison to find out, so that it is taken flat and whole.
    """
    if match["role"] != b"in" or match["constant"] != b"0" or shape[3:] != (3,):
        return False
    return 0 < math.prod(shape) * 4 == elements * 3


class BlockFormat:
    """The binary dump as one of DUMP_FORMATS."""

    def recognise(self, head: bytes) -> bool:
        """Return whether ``head`` is the first line and, unless the file ends there, a record with its size line."""
        first = _FIRST.match(head)
        if first is None:
            return False
        position = first.end()
        while (record := _RECORD.match(head, position)) and int(record["size"]) == 0:
            position = record.end()  # binary or text: a record without values tells nothing
        if record is not None:
            return not _TEXT_VALUES.match(head, record.end())
        # What is no record at all is better described by the errors of this format than by those of the text.
        return re.compile(_TERM + HEADER0 + HEADER1).match(head, position) is None

    def open(self, file: OpenFile) -> BlockDump:
        """Return a reader; raises DumpError."""
        return BlockDump(file)


FORMAT = BlockFormat()
