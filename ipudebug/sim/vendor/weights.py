"""Weights of a fixed model: from the order of the chip's memory to [O, kh, kw, I] (S8_KB, S16_KB).

A block is 16 bytes wide in both directions: 16 outputs by 16 inputs of int8, 8 by 8 of int16; at the edges of a tile it
is smaller. Tiles nest: outer output tiles, in each outer input tiles, in each inner output tiles, in each inner input
tiles, in each blocks, outputs first. One block is [kh kw][outputs][inputs], and the [outputs][inputs] of each kernel
position are padded to 32 bytes. A depthwise kernel is [channels / block][kh kw][block], each block's whole padded to 32
bytes. Tile sizes stand in the convolution's options.

All 70 convolutions of three fixed models, decoded in this way, hold clip(rint(weight / scale)) of their float models
(two INT16 weights of 6,000 differ by one step, where the quotient is next to a half), and no byte is left over.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ipudebug.errors import ModelError
from ipudebug.sim.vendor.tables import VendorTensor

_WIDTH = 16  # bytes of a block
_CHUNK = 32  # bytes that each part is padded to
_BLOCKED = (10, 13)  # memory layouts


def decode_weights(tensor: VendorTensor, tiles: tuple[int, int, int, int], path: str, *, depthwise: bool) -> np.ndarray:
    """Return weights in their shape, contiguous; raises ModelError if the bytes do not fit shape and tiles.

    Args:
        tensor: int8 or int16 of 4 dimensions.
        tiles: inputs (inner, outer) and outputs (inner, outer) of one tile.
        path: for messages.
        depthwise: whether the shape is [1, kh, kw, C].
    """
    if tensor.data is None or len(tensor.shape) != 4 or tensor.dtype.name not in ("int8", "int16"):
        raise ModelError(
            f"{path}: weights {tensor.name!r}: expected constant int8 or int16 of 4 dimensions, found {tensor.dtype} "
            f"{list(tensor.shape)}",
            _HINT,
        )
    if tensor.memory_layout not in _BLOCKED:
        raise ModelError(f"{path}: weights {tensor.name!r}: unknown memory layout {tensor.memory_layout}", _HINT)
    if min(tiles) < 1:
        raise ModelError(f"{path}: weights {tensor.name!r}: impossible tile sizes {list(tiles)}", _HINT)
    read = _Chunks(tensor, path)
    return _decode_depthwise(tensor, tiles, read) if depthwise else _decode(tensor, tiles, read)


class _Chunks:
    """Reads consecutive chunks of elements, each padded to 32 bytes."""

    def __init__(self, tensor: VendorTensor, path: str) -> None:
        data = tensor.data if tensor.data is not None else np.empty(0, np.uint8)
        self._data = data
        self._tensor = tensor
        self._path = path
        self._at = 0

    def take(self, count: int) -> np.ndarray:
        """Return the next ``count`` elements."""
        size = count * self._tensor.dtype.itemsize
        if self._at + size > len(self._data):
            raise ModelError(
                f"{self._path}: weights {self._tensor.name!r}: {len(self._data)} bytes are too few for shape "
                f"{list(self._tensor.shape)}",
                _HINT,
            )
        part: np.ndarray = self._data[self._at : self._at + size].copy().view(self._tensor.dtype)
        self._at += -(-size // _CHUNK) * _CHUNK
        return part


def _decode(tensor: VendorTensor, tiles: tuple[int, int, int, int], read: _Chunks) -> np.ndarray:
    """Return weights [O, kh, kw, I]."""
    outputs, height, width, inputs = tensor.shape
    block = _WIDTH // tensor.dtype.itemsize
    result = np.empty((outputs, height * width, inputs), tensor.dtype)
    (inner_in, outer_in), (inner_out, outer_out) = tiles[:2], tiles[2:]
    for big_out in _split(0, outputs, outer_out):
        for big_in in _split(0, inputs, outer_in):
            for small_out in _split(*big_out, inner_out):
                for small_in in _split(*big_in, inner_in):
                    for first, last in _split(*small_out, block):
                        for start, stop in _split(*small_in, block):
                            for position in range(height * width):
                                part = read.take((last - first) * (stop - start))
                                result[first:last, position, start:stop] = part.reshape(last - first, stop - start)
    return result.reshape(tensor.shape)


def _decode_depthwise(tensor: VendorTensor, tiles: tuple[int, int, int, int], read: _Chunks) -> np.ndarray:
    """Return weights [1, kh, kw, C]."""
    _, height, width, channels = tensor.shape
    block = _WIDTH // tensor.dtype.itemsize
    result = np.empty((height * width, channels), tensor.dtype)
    for outer in _split(0, channels, tiles[3]):
        for inner in _split(*outer, tiles[2]):
            for first, last in _split(*inner, block):
                part = read.take(height * width * (last - first))
                result[:, first:last] = part.reshape(height * width, last - first)
    return result.reshape(tensor.shape)


def _split(start: int, stop: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield the bounds of consecutive pieces of at most ``size``."""
    for first in range(start, stop, size):
        yield first, min(first + size, stop)


_HINT = "the file is damaged, or of another SDK: calibrate the model again"
