"""The header of a sealed model, byte by byte (docs/offline-format.md): values <-> bytes; nothing is checked here."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

MAGIC = b"\x89IPUIMG\n"
"""Not text, with a line break that a transfer as text would change."""
VERSION = 1
BATCH_MODES = ("n_buf", "one_buf")
ELEMENTS = ("uint8", "int8", "int16", "int32", "int64", "float32", "bool")
"""Element formats by number."""
FORMATS = (
    "",
    "RGB",
    "BGR",
    "RGBA",
    "BGRA",
    "GRAY",
    "YUV_NV12",
    "RAWDATA_S16_NHWC",
    "RAWDATA_F32_NHWC",
)
"""Image formats by number: the second byte of ExtFlag."""
INPUT, OUTPUT = 1, 2
"""The first byte of ExtFlag."""
MOST_DIMS, MOST_BATCHES, MOST_PORTS = 8, 8, 1024
ALIGNMENT = 64
"""The model begins at a multiple of it."""

_FIXED = struct.Struct("<8sIIQQII8I HHI 32s32s32s")
_PORT = struct.Struct("<II8IfiIIIIQII")
FIXED_SIZE = _FIXED.size
_DIGEST_AT = FIXED_SIZE - 32


class Preamble(NamedTuple):
    """The first FIXED_SIZE bytes of a header; the numbers are verbatim."""

    version: int
    header_size: int
    buffer_size: int
    buffer_size1: int
    batch_mode: int
    batch_count: int
    batches: tuple[int, ...]
    inputs: int
    outputs: int
    chip: str
    model_digest: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output as the header describes it; the numbers are verbatim.

    Attributes:
        name: of the tensor.
        dims: number of dimensions.
        shape: always MOST_DIMS numbers, 0 behind the last dimension.
        element: number of the element format.
        scale, zero_point: real = (stored - zero_point) * scale; 0 and 0 where the elements are the values.
        ext_flag: INPUT or OUTPUT, and the number of the image format times 256.
        width_alignment, height_alignment: of the buffer.
        buffer_size: bytes of the aligned buffer for one image.
    """

    name: str
    dims: int
    shape: tuple[int, ...]
    element: int
    scale: float
    zero_point: int
    ext_flag: int
    width_alignment: int
    height_alignment: int
    buffer_size: int


@dataclass(frozen=True, slots=True)
class SealHeader:
    """All of a header but its digest; see docs/offline-format.md."""

    version: int
    header_size: int
    buffer_size: int
    buffer_size1: int
    batch_mode: int
    batches: tuple[int, ...]
    chip: str
    model_digest: bytes
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]

    def encode(self) -> bytes:
        """Return the header as bytes, with its digest, filled up to ``header_size``."""
        ports = (*self.inputs, *self.outputs)
        names = [port.name.encode("utf-8", "surrogateescape") for port in ports]
        at = FIXED_SIZE + _PORT.size * len(ports)
        entries = b""
        for port, name in zip(ports, names, strict=True):
            entries += _PORT.pack(
                port.dims,
                port.element,
                *port.shape,
                port.scale,
                port.zero_point,
                port.ext_flag,
                port.width_alignment,
                port.height_alignment,
                0,
                port.buffer_size,
                at,
                len(name),
            )
            at += len(name)
        batches = (*self.batches, *(0,) * (MOST_BATCHES - len(self.batches)))
        fixed = _FIXED.pack(
            MAGIC,
            self.version,
            self.header_size,
            self.buffer_size,
            self.buffer_size1,
            self.batch_mode,
            len(self.batches),
            *batches,
            len(self.inputs),
            len(self.outputs),
            0,
            self.chip.encode(),
            self.model_digest,
            bytes(32),
        )
        data = (fixed + entries + b"".join(names)).ljust(self.header_size, b"\0")
        return data[:_DIGEST_AT] + digest_header(data) + data[FIXED_SIZE:]


def digest_header(data: bytes) -> bytes:
    """Return the SHA-256 of a header, its own place in it taken as zeros."""
    return hashlib.sha256(data[:_DIGEST_AT] + bytes(32) + data[FIXED_SIZE:]).digest()


def measure_header(names: Sequence[str]) -> int:
    """Return the size of a header for inputs and outputs of these names."""
    size = FIXED_SIZE + sum(_PORT.size + len(name.encode("utf-8", "surrogateescape")) for name in names)
    return -(-size // ALIGNMENT) * ALIGNMENT


def decode_preamble(data: bytes) -> Preamble:
    """Return what the first FIXED_SIZE bytes say."""
    _, *sizes = _FIXED.unpack_from(data)
    batches, (inputs, outputs, _, chip, *digests) = tuple(sizes[6 : 6 + MOST_BATCHES]), sizes[6 + MOST_BATCHES :]
    text = chip.rstrip(b"\0").decode("ascii", "backslashreplace")
    version, header_size, model, buffers, mode, count = sizes[:6]
    return Preamble(
        version, header_size, model, buffers, mode, count, batches, inputs, outputs, text, digests[0], digests[1]
    )


def decode_header(data: bytes) -> SealHeader:
    """Return what a header says; raises ValueError where an entry leads outside of it."""
    first = decode_preamble(data)
    count = first.inputs + first.outputs
    if FIXED_SIZE + _PORT.size * count > len(data):
        raise ValueError(f"{count} inputs and outputs do not fit into {len(data)} bytes")
    ports = [_decode_port(data, FIXED_SIZE + _PORT.size * number) for number in range(count)]
    return SealHeader(
        first.version,
        first.header_size,
        first.buffer_size,
        first.buffer_size1,
        first.batch_mode,
        first.batches[: first.batch_count],
        first.chip,
        first.model_digest,
        tuple(ports[: first.inputs]),
        tuple(ports[first.inputs :]),
    )


def _decode_port(data: bytes, at: int) -> Port:
    """Return the entry at ``at``; raises ValueError for a name outside the header."""
    dims, element, *rest = _PORT.unpack_from(data, at)
    shape, (scale, zero, flag, width, height, _, size, start, length) = rest[:MOST_DIMS], rest[MOST_DIMS:]
    if start + length > len(data):
        raise ValueError(f"a name should lie at bytes {start} to {start + length}, the header has {len(data)}")
    name = data[start : start + length].decode("utf-8", "surrogateescape")
    return Port(name, dims, tuple(shape), element, scale, zero, flag, width, height, size)
