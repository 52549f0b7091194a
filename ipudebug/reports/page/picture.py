"""A small matrix -> a PNG inside the page: a thousandth of what as many SVG rectangles would take.

PNG (RFC 2083): signature, then chunks of length, type, data and CRC; here 8-bit palette pixels, filter 0 in every line.
"""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np

_STOPS = ((0.0, (247, 244, 238)), (0.25, (250, 204, 120)), (0.5, (240, 120, 60)), (0.75, (178, 30, 75)), (1.0, (58, 10, 70)))  # fmt: skip  # noqa: E501
"""Light is little, dark is much: readable without colours, too."""
_MISSING = (120, 160, 200)


def make_palette() -> bytes:
    """Return 256 colours as RGB bytes: 0..254 from little to much, 255 what is no number."""
    at = np.linspace(0, 1, 255)
    places = [place for place, _ in _STOPS]
    channels = [np.interp(at, places, [colour[channel] for _, colour in _STOPS]) for channel in range(3)]
    return np.round(np.stack(channels, axis=1)).astype(np.uint8).tobytes() + bytes(_MISSING)


def paint(matrix: np.ndarray) -> str:
    """Return a 2-D float array as the URI of a PNG, one pixel an element, darkest at the largest finite element.

    An array of zeros is light throughout; what is not finite has a colour of its own.
    """
    finite = np.isfinite(matrix)
    largest = float(matrix[finite].max(initial=0.0))
    levels = np.where(finite, matrix, 0.0) / largest if largest > 0 else np.zeros_like(matrix)
    pixels = np.where(finite, np.round(np.clip(levels, 0, 1) * 254), 255).astype(np.uint8)
    height, width = pixels.shape
    lines = np.concatenate([np.zeros((height, 1), np.uint8), pixels], axis=1)
    data = (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0))
        + _chunk(b"PLTE", make_palette())
        + _chunk(b"IDAT", zlib.compress(lines.tobytes(), 9))
        + _chunk(b"IEND", b"")
    )
    return "data:image/png;base64," + base64.b64encode(data).decode()


def _chunk(kind: bytes, data: bytes) -> bytes:
    """Return one chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
