"""The frames of rest_rpc and their msgpack bodies <-> bytes (docs/board-protocol.md).

rest_rpc is an open C++ header library; the layout is that of its ``rpc_header``, little-endian. Nothing here knows what
is called.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ipudebug.errors import MissingDependency

if TYPE_CHECKING:
    from types import ModuleType

MAGIC = 39
CALL = 0
"""Request type of calls and their answers; rest_rpc's other one (1, publish and subscribe) is not used."""
LARGEST_BODY = (10 << 20) - 1
"""Bytes of a body: rest_rpc takes fewer than 10 MiB."""
LARGEST_PIECE = 8 << 20
"""Bytes of data that one call carries; larger data travel in pieces."""
PACKED, PADDED = 20, 24
"""Bytes of a header: since rest_rpc's change of 2023-09-26, and before, with 4 bytes of padding behind it."""
MOST_ITEMS = 4096
"""Elements of any array in a body."""
DEEPEST = 6
"""Arrays within arrays in a body."""
_FORMS = {PACKED: struct.Struct("<BB2xIQI"), PADDED: struct.Struct("<BB2xIQI4x")}


class FrameError(ValueError):
    """Bytes that are no frame, or a body that is no array of plain values."""


class Header(NamedTuple):
    """What stands before a body.

    Attributes:
        size: bytes of the body.
        request: number of the request, repeated in its answer.
        function: ``hash_name`` of what is called; 0 in an answer.
    """

    size: int
    request: int
    function: int


def hash_name(name: str) -> int:
    """Return the number that stands for a function: the first four bytes of the name's MD5, the first one highest."""
    return int.from_bytes(hashlib.md5(name.encode(), usedforsecurity=False).digest()[:4], "big")


def encode_header(header: Header, form: int = PACKED) -> bytes:
    """Return a header of ``form`` bytes."""
    return _FORMS[form].pack(MAGIC, CALL, *header)


def decode_header(data: bytes, largest: int = LARGEST_BODY) -> Header:
    """Return what a header of PACKED or PADDED bytes says; raises FrameError for one that cannot be followed."""
    magic, kind, size, request, function = _FORMS[len(data)].unpack(data)
    if magic != MAGIC:
        raise FrameError(f"expected the magic number {MAGIC}, found {magic}")
    if kind != CALL:
        raise FrameError(f"expected request type {CALL}, found {kind}")
    if size > largest:
        raise FrameError(f"expected a body of at most {largest:,} bytes, found {size:,}")
    return Header(size, request, function)


def encode_body(values: Sequence[Any]) -> bytes:
    """Return an array of plain values as msgpack; raises MissingDependency."""
    data: bytes = load_msgpack().packb(list(values), use_bin_type=True, unicode_errors="surrogateescape")
    return data


def decode_body(data: bytes | bytearray) -> list[Any]:
    """Return the array in a body: integers, floats, texts, bytes, None, booleans and arrays of them, nothing else.

    Raises FrameError for anything else, and for what is nested deeper than DEEPEST.
    """
    msgpack = load_msgpack()
    try:
        values = msgpack.unpackb(
            data,
            raw=False,
            unicode_errors="surrogateescape",
            max_array_len=MOST_ITEMS,
            max_map_len=0,
            max_ext_len=0,
        )
    except (ValueError, TypeError, OverflowError, RecursionError) as reason:
        found = f"{len(data):,} bytes of something else: {str(reason) or type(reason).__name__}"
        raise FrameError(f"expected an array in msgpack, found {found}") from None
    if not isinstance(values, list):
        raise FrameError(f"expected an array in msgpack, found {type(values).__name__}")
    _check_depth(values)
    return values


def _check_depth(values: list[Any]) -> None:
    """Raise FrameError for arrays that are nested too deep, or values of another kind."""
    level = [values]
    for _ in range(DEEPEST):
        deeper = []
        for value in (item for items in level for item in items):
            if isinstance(value, list):
                deeper.append(value)
            elif not isinstance(value, (int, float, str, bytes, type(None))):
                raise FrameError(f"expected plain values, found {type(value).__name__}")
        if not deeper:
            return
        level = deeper
    raise FrameError(f"expected arrays nested at most {DEEPEST} deep")


def load_msgpack() -> ModuleType:
    """Return the package msgpack; raises MissingDependency."""
    try:
        import msgpack
    except ImportError:
        message = "the package msgpack is not installed, the board is spoken to in it"
        raise MissingDependency(message, "install it: pip install 'ipudebug[board]'") from None
    module: ModuleType = msgpack
    return module
