r"""The header of one record, which the binary and the text dumps share.

::

    header0 = "//" dir " " k " s: " %f " z: " int " type: " type " name: " name " bConstant:" ("0"|"1") [ shape ] "\n"
    header1 = "op_" dir "[" N "] " optype " = {\n"
    size    = "//buffer data size: " B "\n"
    shape   = " shape:[" d0 ", " d1 ... "] dims:" n
    dir     = "in" | "out";  k = port;  N = op index

The name is what stands between the *first* ``" name: "`` and the *last* ``" bConstant:"``; it is not escaped and may
hold anything but a line break. The op type is what stands between the first ``"] "`` and the final ``" = {"``. ``s:``
and ``z:`` are for display only (6 decimals, the first channel): they never become a tensor's QuantParams.
"""

from __future__ import annotations

import math
import re
import sys
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ipudebug.errors import CorruptDump
from ipudebug.tensor import Layout, TensorInfo

FIRST = rb"isFloat: ([01])[ \t]{0,40}\r?\n"
HEADER0 = (
    rb"//(?P<role>in|out) (?P<port>\d{1,9}) s: (?P<scale>[^ \n]{1,400}) z: (?P<zero>-?\d{1,19}) type: "
    rb"(?P<type>[^\n]{0,99}?) name: (?P<name>[^\n]*) bConstant:(?P<constant>[01])"
    rb"(?: shape:\[(?P<shape>[-\d, ]*)\] dims:(?P<dims>\d{1,9}))?[ \t]*\r?\n"
)
HEADER1 = rb"op_(?P<role1>in|out)\[(?P<index>\d{1,9})\] (?P<op>[^\n]*) = \{[ \t]*\r?\n"
SIZE = rb"//buffer data size: (?P<size>\d{1,20})\r?\n"

LONGEST = 1 << 18
"""Bytes that the headers of one record may take; a longer one is no header."""

DTYPES: dict[bytes, np.dtype] = {
    b"float": np.dtype("<f4"),
    b"SGS_U8": np.dtype("u1"),
    b"SGS_S8": np.dtype("i1"),
    b"SGS_S16": np.dtype("<i2"),
    b"SGS_S32": np.dtype("<i4"),
    b"SGS_S64": np.dtype("<i8"),
    b"SGS_BOOL": np.dtype("?"),
}
FLOAT: np.dtype = DTYPES[b"float"]
UNKNOWN: np.dtype = np.dtype("V1")
"""The dtype of an integer dump's record whose type name is not known: bytes, not numbers, and flat."""

TYPE_NAMES: dict[np.dtype, str] = {dtype: name.decode() for name, dtype in DTYPES.items()}

AGAIN = "dump again, completely, and copy the file in binary mode"
_MOST_DIMS = 64  # of a NumPy array


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of a record's two header lines, verbatim, as the writer needs them.

    Attributes:
        info: name, shape, op type and the like; its dtype is that of the payload.
        scale, zero_point: the texts behind ``s:`` and ``z:``.
        type_name: the text behind ``type:``; in a float dump the payload is float32 whatever it says.
        shape: as written; None where the dialect has none.
    """

    info: TensorInfo
    scale: str
    zero_point: str
    type_name: str
    shape: tuple[int, ...] | None

    def lines(self, *, with_shape: bool) -> bytes:
        """Return header0 and header1 as bytes; raises CorruptDump for a name or op type that no header can hold."""
        info = self.info
        line0 = (
            f"//{info.role} {info.port} s: {self.scale} z: {self.zero_point} type: {self.type_name}"
            f" name: {info.name} bConstant:{int(info.constant)}"
        )
        if with_shape:
            shape = info.shape if self.shape is None else self.shape
            line0 += f" shape:[{', '.join(map(str, shape))}] dims:{len(shape)}"
        line1 = f"op_{info.role}[{info.op_index}] {info.op_type} = {{"
        try:
            lines = f"{line0}\n{line1}\n".encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as reason:
            raise CorruptDump(f"{info.name!a}: {reason.reason}: it cannot be dumped", "rename the tensor") from None
        if lines.count(b"\n") != 2:
            raise CorruptDump(f"{info.name!r}: a name with a line break cannot be dumped", "rename the tensor")
        if len(lines) > LONGEST - 1024:  # what may stand between two records has its room, too
            raise CorruptDump(
                f"{info.name[:80]!r}...: a name of {len(info.name)} characters cannot be dumped", "shorten it"
            )
        return lines


def header_of(info: TensorInfo, *, is_float: bool) -> Header:
    """Return the header that describes ``info``: scale and zero point of its first channel, or zeros without any."""
    quant = info.quant
    scale, zero = (quant.scale[0], quant.zero_point[0]) if quant and quant.scale else (0.0, 0)
    type_name = (
        "float" if is_float or info.dtype.kind == "f" else TYPE_NAMES.get(info.dtype.newbyteorder("<"), "unknown")
    )
    return Header(info, f"{scale:f}", str(zero), type_name, info.shape)


def parse_header(match: re.Match[bytes], *, is_float: bool) -> Header:
    """Return the header that a match of HEADER0 + HEADER1 holds, its shape not yet held against the payload."""
    shape = parse_shape(match["shape"], match["dims"])
    info = parse_info(match, shape or (), is_float=is_float, has_shape=shape is not None)
    return Header(
        info, match["scale"].decode("latin-1"), match["zero"].decode(), match["type"].decode("latin-1"), shape
    )


def parse_dtype(match: re.Match[bytes], *, is_float: bool) -> np.dtype:
    """Return the dtype of the payload below a match of HEADER0."""
    return FLOAT if is_float else DTYPES.get(match["type"], UNKNOWN)


def parse_info(match: re.Match[bytes], shape: tuple[int, ...], *, is_float: bool, has_shape: bool) -> TensorInfo:
    """Return what a match of HEADER0 + HEADER1 says of the tensor, which has the shape ``shape``.

    ``has_shape`` tells whether the shape, and with it the layout, is the header's own. Raises CorruptDump if the two
    lines disagree.
    """
    role, port, name, constant, role1, index, op = match.group(
        "role", "port", "name", "constant", "role1", "index", "op"
    )
    if role != role1:
        raise CorruptDump(f"{show(name)}: //{role.decode()} in one line, op_{role1.decode()} in the next", AGAIN)
    return TensorInfo(
        name.decode("utf-8", "surrogateescape"),
        shape,
        parse_dtype(match, is_float=is_float),
        None,
        Layout.NHWC if has_shape and len(shape) == 4 else None,
        _decode_op(op),
        int(index),
        int(port),
        "out" if role == b"out" else "in",
        constant == b"1",
    )


@lru_cache(maxsize=1024)
def _decode_op(op: bytes) -> str:
    """Return an op type as text; few distinct ones serve many records."""
    return op.decode("utf-8", "surrogateescape")


@lru_cache(maxsize=1 << 14)
def parse_shape(text: bytes | None, dims: bytes | None) -> tuple[int, ...] | None:
    """Return a header's shape, or None where the dialect has none.

    Raises CorruptDump unless it is ``dims`` comma-separated sizes >= 0. A shape that no array can have (too many
    dimensions, or too large ones beside a 0) is refused as well.
    """
    if text is None or dims is None:
        return None
    parts = text.split(b",") if text.strip() else []
    try:
        shape = tuple(map(int, parts)) if len(text) < 2000 else None
    except ValueError:
        shape = None
    if (
        shape is None
        or not len(shape) == int(dims) <= _MOST_DIMS
        or min(shape, default=0) < 0
        or (0 in shape and math.prod(dim or 1 for dim in shape) > sys.maxsize // 8)
    ):
        raise CorruptDump(f"shape:[{text[:80].decode('latin-1')}] is no shape of dims:{int(dims)}", AGAIN)
    return shape


def begins_header(text: bytes) -> bool:
    """Return whether ``text`` begins as a header or a repeated size line does, or is itself the beginning of one."""
    starts = (b"//in ", b"//out ", b"//buffer data size: ")
    return any(start[: len(text)] == text[: len(start)] for start in starts)


def show(name: bytes | str) -> str:
    """Return a tensor name for a message: at most 80 characters, none of which a terminal would obey."""
    text = name[:400].decode("utf-8", "replace") if isinstance(name, bytes) else name[:400]
    text = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return text if len(text) <= 80 else text[:77] + "..."
