"""The weights of a Caffe network (``.caffemodel``), layer by layer, without loading them.

The file is a protobuf message NetParameter: field 100 holds the layers (name 1, blobs 7), in files of older Caffe
field 2 (name 4, blobs 6). A blob is the same message in both. Only names and lengths are read here; the numbers stay
in the mapped file until a layer is asked for.
"""

from __future__ import annotations

import mmap

from ipudebug.errors import ModelError
from ipudebug.files import OpenFile
from ipudebug.runners.protobuf import BYTES, VARINT, Field, WireError, encode_bytes, read_fields, read_integers

_LAYER, _NAME, _BLOBS = 100, 1, 7
_PARTS = {_LAYER: (_NAME, _BLOBS), 2: (4, 6)}
_BLOB_DIMS = (1, 2, 3, 4)  # num, channels, height, width of older files
_BLOB_SHAPE = 7


class CaffeWeights:
    """The blobs of every layer of one caffemodel, by layer name; raises ModelError if the file is none.

    Attributes:
        data: the bytes of the file, mapped.
    """

    def __init__(self, path: str) -> None:
        """Map the file and note where each layer's blobs lie."""
        file = OpenFile(path, "the Caffe weights", ModelError)
        self.data = mmap.mmap(file.fd, 0, access=mmap.ACCESS_READ) if file.size else b""
        self._blobs: dict[str, list[Field]] = {}
        try:
            for field in read_fields(self.data, 0, len(self.data)):
                if field.number in _PARTS and field.wire == BYTES:
                    self._add_layer(field)
        except WireError as reason:
            cut = reason.truncated and bool(self._blobs)
            raise ModelError(
                f"the Caffe weights: {path} is {'cut off' if cut else 'no .caffemodel'}: {reason}",
                "copy the file again, completely" if cut else "give the .caffemodel, not the .prototxt or a snapshot",
            ) from None
        if not self._blobs:
            raise ModelError(
                f"the Caffe weights: {path} holds no layers: expected a .caffemodel",
                "give the file that Caffe saved when training ended",
            )

    def _add_layer(self, layer: Field) -> None:
        name_number, blobs_number = _PARTS[layer.number]
        name, blobs = "", []
        for field in read_fields(self.data, layer.begin, layer.end):
            if field.number == name_number and field.wire == BYTES:
                name = self.data[field.begin : field.end].decode("utf-8", "surrogateescape")
            elif field.number == blobs_number and field.wire == BYTES:
                blobs.append(field)
        self._blobs.setdefault(name, blobs)  # OpenCV takes the first of equal names

    def __contains__(self, layer: str) -> bool:
        """Return whether the file has blobs for that layer."""
        return bool(self._blobs.get(layer))

    def shapes(self, layer: str) -> list[tuple[int, ...]]:
        """Return the shape of each blob of a layer, which older files always give four dimensions; raises WireError."""
        return [self._shape(blob) for blob in self._blobs.get(layer, ())]

    def encode(self, layer: str, name: str) -> bytes:
        """Return a caffemodel that holds the blobs of ``layer`` alone, under another ``name``."""
        blobs = (self.data[blob.begin : blob.end] for blob in self._blobs.get(layer, ()))
        return encode_bytes(_LAYER, encode_bytes(_NAME, name) + b"".join(encode_bytes(_BLOBS, blob) for blob in blobs))

    def _shape(self, blob: Field) -> tuple[int, ...]:
        legacy = [1, 1, 1, 1]
        for field in read_fields(self.data, blob.begin, blob.end):
            if field.number == _BLOB_SHAPE and field.wire == BYTES:
                dims = read_fields(self.data, field.begin, field.end)
                return tuple(dim for inner in dims if inner.number == 1 for dim in read_integers(self.data, inner))
            if field.number in _BLOB_DIMS and field.wire == VARINT:
                legacy[field.number - 1] = field.value
        return tuple(legacy)
