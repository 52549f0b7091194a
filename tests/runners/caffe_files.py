"""Writes small Caffe networks: the wire format of a caffemodel by hand, so that it checks the reader independently."""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ipudebug.runners import ModelFiles


def write_caffe(
    folder: Path, prototxt: str, weights: Mapping[str, Sequence[np.ndarray]], *, legacy: bool = False
) -> ModelFiles:
    """Return the files of a network; ``legacy`` writes the layers and blobs as Caffe of 2014 did."""
    model, caffemodel = folder / "net.prototxt", folder / "net.caffemodel"
    model.write_text(prototxt)
    caffemodel.write_bytes(b"".join(_layer(name, blobs, legacy) for name, blobs in weights.items()))
    return ModelFiles(str(model), str(caffemodel))


def _layer(name: str, blobs: Sequence[np.ndarray], legacy: bool) -> bytes:
    number, name_number, blobs_number = (2, 4, 6) if legacy else (100, 1, 7)
    body = _bytes(name_number, name.encode()) + b"".join(_bytes(blobs_number, _blob(blob, legacy)) for blob in blobs)
    return _bytes(number, body)


def _blob(array: np.ndarray, legacy: bool) -> bytes:
    data = _bytes(5, array.astype("<f4").tobytes())
    if legacy:
        shape = (1,) * (4 - array.ndim) + array.shape
        return b"".join(_varint(number << 3) + _varint(dim) for number, dim in enumerate(shape, 1)) + data
    return _bytes(7, _bytes(1, b"".join(map(_varint, array.shape)))) + data


def _bytes(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    groups = [value >> shift & 127 for shift in range(0, max(value.bit_length(), 1), 7)]
    return struct.pack(f"{len(groups)}B", *(group | 128 for group in groups[:-1]), groups[-1])
