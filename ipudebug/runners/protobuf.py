"""The protocol-buffer wire format, as far as taking an ONNX file apart and putting pieces of it together needs it.

A message is a run of fields; a field is a tag (``number << 3 | wire type``, a varint) and a value: a varint (wire
type 0), eight bytes (1), a length and as many bytes (2) or four bytes (5). Pieces are copied as they are, so nothing
that a file holds is lost, known here or not, and a weight is never touched on the way. Importing the onnx package
instead would cost 70 ms and two copies of every weight.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import NamedTuple

Buffer = bytes | mmap.mmap

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class WireError(ValueError):
    """The bytes are no protocol-buffer message; ``truncated`` when they only end too early."""

    def __init__(self, message: str, truncated: bool = False) -> None:
        """Keep what is wrong and whether the end is missing."""
        super().__init__(message)
        self.truncated = truncated


class Field(NamedTuple):
    """One field: its ``number``, its ``value`` if it is a varint, and where it lies.

    ``start`` is the offset of the tag, ``begin`` that of the value's first byte, ``end`` the one after its last.
    """

    number: int
    wire: int
    value: int
    start: int
    begin: int
    end: int


def read_varint(data: Buffer, position: int, end: int) -> tuple[int, int]:
    """Return the unsigned integer at ``position`` and the position after it; raises WireError."""
    result = shift = 0
    while position < end:
        byte = data[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, position
        shift += 7
        if shift > 63:
            raise WireError(f"a number at byte {position} is longer than ten bytes")
    raise WireError(f"the message ends within a number at byte {end}", truncated=True)


def read_fields(data: Buffer, position: int, end: int) -> Iterator[Field]:
    """Yield the fields of the message in ``data[position:end]``; raises WireError where it breaks the format."""
    while position < end:
        start = position
        tag, position = read_varint(data, position, end)
        number, wire = tag >> 3, tag & 7
        value = 0
        begin = position
        if wire == VARINT:
            value, position = read_varint(data, position, end)
        elif wire == BYTES:
            length, begin = read_varint(data, position, end)
            position = begin + length
        elif wire == FIXED64:
            position += 8
        elif wire == FIXED32:
            position += 4
        else:
            raise WireError(f"byte {start} begins a field of unknown kind {wire}")
        if number == 0:
            raise WireError(f"byte {start} begins a field numbered 0")
        if position > end:
            text = f"a field at byte {start} should end at byte {position}, but the data ends at byte {end}"
            raise WireError(text, truncated=True)
        yield Field(number, wire, value, start, begin, position)


def read_text(data: Buffer, field: Field) -> str:
    """Return a field's bytes as text; raises WireError if they are not UTF-8."""
    try:
        return bytes(data[field.begin : field.end]).decode()
    except UnicodeDecodeError:
        raise WireError(f"the text at byte {field.begin} is not UTF-8") from None


def read_integers(data: Buffer, field: Field) -> list[int]:
    """Return the numbers of one field of a repeated int64, packed or not."""
    if field.wire == VARINT:
        return [to_signed(field.value)]
    numbers = []
    position = field.begin
    while position < field.end:
        value, position = read_varint(data, position, field.end)
        numbers.append(to_signed(value))
    return numbers


def to_signed(value: int) -> int:
    """Return the int64 that the 64 bits of ``value`` stand for."""
    return value - (1 << 64) if value >> 63 else value


def encode_varint(value: int) -> bytes:
    """Return a number of at most 64 bits, negative ones as their two's complement."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def encode_number(number: int, value: int) -> bytes:
    """Return an integer field."""
    return encode_varint(number << 3) + encode_varint(value)


def encode_bytes(number: int, value: bytes | str) -> bytes:
    """Return a text, bytes or message field."""
    if isinstance(value, str):
        value = value.encode()
    return encode_varint(number << 3 | BYTES) + encode_varint(len(value)) + value
