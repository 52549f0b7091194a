"""Guarded reading of FlatBuffers tables by slot number.

A FlatBuffer is nothing but offsets; whoever follows one without a look at where it leads reads garbage, or (with the
negative positions that Python forgives) something at the other end of the file. What a damaged or hostile file could
attempt, and what stops each:

==============================  ====================================================================================
an offset that leads outside    every position is held against the bytes that are there before they are read
a vtable that lies elsewhere    its place and size are checked when a table is opened; a slot must lie in its table
a vector longer than the file   its end is checked; it is a view, so that nothing is allocated for it
one table in many places        everything that is handed out is counted; a file cannot hand out more than it holds
a table inside itself           the schema is finite: nothing here walks references of unknown depth
text that is no text            UTF-8 is required
==============================  ====================================================================================
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from flatbuffers import encode, packer

from ipudebug.errors import ModelError

_SCALARS = {
    "b": packer.int8,
    "B": packer.uint8,
    "h": packer.int16,
    "H": packer.uint16,
    "i": packer.int32,
    "I": packer.uint32,
    "f": packer.float32,
    "q": packer.int64,
}
_SIZES_OF_TABLE = struct.Struct("<HH")  # how a vtable begins: its own size and the table's
_HINT = "the file is damaged: copy it again in binary mode, or convert the model again"
_SHARED = 4  # a writer may store equal strings and vtables once


class FlatBuffer:
    """The bytes of a FlatBuffer, and how many of them may still be handed out.

    Args:
        data: the whole FlatBuffer; offsets count from its first byte.
        path: for messages.
    """

    def __init__(self, data: bytes, path: str) -> None:
        """Nothing is read yet."""
        self.data = data
        self.path = path
        self._left = _SHARED * len(data) + 4096

    def root(self) -> Table:
        """Return the root table; raises ModelError."""
        self.need(0, 8, "the root")
        return Table(self, int(struct.unpack_from("<I", self.data)[0]), "the root")

    def need(self, start: int, count: int, what: str, part: str = "") -> None:
        """Raise ModelError unless ``count`` bytes from ``start`` on lie within the file."""
        if start < 0 or count < 0 or start + count > len(self.data):
            what = f"{what}: {part}" if part else what
            raise self.fault(f"{what} would lie at bytes {start}..{start + count}, the file has {len(self.data)}")

    def spend(self, count: int, what: str, part: str = "") -> None:
        """Count bytes that are handed out; raises ModelError if a file gives more than it can hold."""
        self._left -= count
        if self._left < 0:
            what = f"{what}: {part}" if part else what
            raise self.fault(f"{what} overlaps what was read before: the parts add up to more than the file holds")

    def fault(self, words: str) -> ModelError:
        """Return the error for a file that is no sound FlatBuffer."""
        return ModelError(f"{self.path}: {words}", _HINT)


class Table:
    """One table: its fields are asked for by slot number; an absent one has the default.

    Args:
        flat: the file.
        position: of the table.
        where: what the table is, for messages ("tensor 3").
    """

    __slots__ = ("_flat", "_length", "_position", "_size", "_vtable", "where")

    def __init__(self, flat: FlatBuffer, position: int, where: str) -> None:
        """Check that table and vtable lie within the file; raises ModelError."""
        flat.need(position, 4, where)
        vtable = position - encode.Get(packer.soffset, flat.data, position)
        flat.need(vtable, 4, where, "its vtable")
        length, size = _SIZES_OF_TABLE.unpack_from(flat.data, vtable)
        flat.need(vtable, length, where, "its vtable")
        flat.need(position, size, where)
        if length < 4 or length % 2 or size < 4:
            raise flat.fault(f"{where}: a vtable of {length} bytes for a table of {size} is impossible")
        flat.spend(max(size, 8), where)
        self._flat = flat
        self._position = position
        self._vtable = vtable
        self._length, self._size = length, size
        self.where = where

    def _field(self, slot: int, width: int) -> int:
        """Return the position of a field of ``width`` bytes; 0 if it is absent."""
        place = 4 + 2 * slot
        offset = encode.Get(packer.voffset, self._flat.data, self._vtable + place) if place < self._length else 0
        if offset == 0:
            return 0
        if offset < 4 or offset + width > self._size:
            raise self._flat.fault(f"{self.where}: slot {slot} lies outside its table")
        return self._position + int(offset)

    def number(self, slot: int, kind: str, default: float = 0) -> Any:
        """Return a scalar; ``kind`` is a ``struct`` letter (``b B h H i I q f``)."""
        position = self._field(slot, _SCALARS[kind].size)
        return encode.Get(_SCALARS[kind], self._flat.data, position) if position else default

    def integer(self, slot: int, kind: str = "i", default: int = 0) -> int:
        """Return an integer field."""
        return int(self.number(slot, kind, default))

    def _follow(self, slot: int) -> int:
        """Return where a reference leads; 0 if it is absent or null."""
        position = self._field(slot, 4)
        offset = int(encode.Get(packer.uoffset, self._flat.data, position)) if position else 0
        return position + offset if offset else 0

    def array(self, slot: int, dtype: str) -> np.ndarray:
        """Return a vector of scalars as a read-only view; empty if it is absent."""
        start = self._follow(slot)
        kind = np.dtype(dtype)
        if not start:
            return np.empty(0, kind)
        count = self._count(start, kind.itemsize, f"the vector in slot {slot}")
        return np.frombuffer(self._flat.data, kind, count, start + 4)

    def _count(self, start: int, itemsize: int, part: str) -> int:
        """Return the length of the vector at ``start``, which lies within the file."""
        self._flat.need(start, 4, self.where, part)
        count = int(encode.Get(packer.uoffset, self._flat.data, start))
        self._flat.need(start + 4, count * itemsize, self.where, part)
        self._flat.spend(4 + count * itemsize, self.where, part)
        return count

    def text(self, slot: int) -> str:
        """Return a string; ``""`` if it is absent; raises ModelError if it is not UTF-8."""
        data = self.array(slot, "u1").tobytes()
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as reason:
            raise self._flat.fault(
                f"{self.where}: the text in slot {slot} is not UTF-8 at byte {reason.start}: {data[:60]!r}"
            ) from None

    def table(self, slot: int, where: str) -> Table | None:
        """Return the table that a slot refers to, or None."""
        position = self._follow(slot)
        return Table(self._flat, position, where) if position else None

    def tables(self, slot: int, where: str) -> list[Table]:
        """Return a vector of tables; each is called ``<where> <number>``."""
        start = self._follow(slot)
        if not start:
            return []
        count = self._count(start, 4, f"the list of {where}s")
        offsets = np.frombuffer(self._flat.data, "<u4", count, start + 4).tolist()
        return [Table(self._flat, start + 4 + 4 * i + offset, f"{where} {i}") for i, offset in enumerate(offsets)]
