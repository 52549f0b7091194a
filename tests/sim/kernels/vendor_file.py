"""A vendor's .sim and raw dump, read by slot numbers with the plain flatbuffers package (SPEC 6.1, 10.2, 11.1)."""

from __future__ import annotations

import lzma
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from flatbuffers import number_types
from flatbuffers.table import Table

TYPES = {0: "<f4", 2: "<i4", 3: "<u1", 7: "<i2", 9: "<i1"}


class Fields:
    """A FlatBuffer table, by slot."""

    def __init__(self, data: bytes, position: int) -> None:
        self._data = data
        self._table = Table(data, position)

    def number(self, slot: int, kind: Any = number_types.Int32Flags, default: int = 0) -> int:
        offset = self._table.Offset(4 + 2 * slot)
        return self._table.Get(kind, offset + self._table.Pos) if offset else default

    def array(self, slot: int, dtype: str) -> np.ndarray:
        offset = self._table.Offset(4 + 2 * slot)
        if not offset:
            return np.empty(0, dtype)
        return np.frombuffer(self._data, dtype, self._table.VectorLen(offset), self._table.Vector(offset))

    def text(self, slot: int) -> str:
        offset = self._table.Offset(4 + 2 * slot)
        return self._table.String(offset + self._table.Pos).decode() if offset else ""

    def child(self, slot: int) -> Fields:
        offset = self._table.Offset(4 + 2 * slot)
        return Fields(self._data, self._table.Indirect(offset + self._table.Pos))

    def children(self, slot: int) -> list[Fields]:
        offset = self._table.Offset(4 + 2 * slot)
        if not offset:
            return []
        start = self._table.Vector(offset)
        return [Fields(self._data, self._table.Indirect(start + 4 * i)) for i in range(self._table.VectorLen(offset))]


@dataclass
class VendorTensor:
    name: str
    shape: list[int]
    dtype: np.dtype
    data: np.ndarray
    scale: np.ndarray
    zero: int
    largest: float

    def read(self) -> np.ndarray:
        """A constant's elements; rows of 2-D ones are padded to 16 bytes."""
        itemsize = self.dtype.itemsize
        if len(self.shape) == 2:
            width = self.shape[1] * itemsize
            rows = self.data[: self.shape[0] * -(-width // 16) * 16].reshape(self.shape[0], -1)
            return np.ascontiguousarray(rows[:, :width]).view(self.dtype)
        return self.data[: int(np.prod(self.shape)) * itemsize].view(self.dtype).reshape(self.shape)


@dataclass
class VendorOp:
    code: int
    custom: str
    inputs: list[VendorTensor]
    outputs: list[VendorTensor]
    options: Fields = field(repr=False)


@dataclass
class VendorModel:
    ops: list[VendorOp]
    conversion: list[int]
    is_four_channel: bool
    tensors: dict[str, VendorTensor]


def load_model(path: Path) -> VendorModel:
    data = path.read_bytes()
    root = Fields(data, struct.unpack_from("<I", data)[0])
    graph = root.children(2)[0]
    codes = [(code.number(0, number_types.Int8Flags), code.text(1)) for code in root.children(1)]
    buffers = [buffer.array(0, "u1") for buffer in root.children(4)]
    tensors = [read_tensor(fields, buffers) for fields in graph.children(0)]
    ops = []
    for fields in graph.children(3):
        code, custom = codes[fields.number(0)]
        sides = [[tensors[i] for i in fields.array(slot, "<i4")] for slot in (1, 2)]
        ops.append(VendorOp(code, custom, *sides, fields.child(4) if not custom else fields))
    conversions = graph.children(10)
    conversion = conversions[0].array(0, "<i2").tolist() if conversions else []
    is_four_channel = bool(np.isin(graph.array(6, "u1"), (3, 4)).any())
    return VendorModel(ops, conversion, is_four_channel, {tensor.name: tensor for tensor in tensors})


def read_tensor(fields: Fields, buffers: list[np.ndarray]) -> VendorTensor:
    try:
        quant = fields.child(4)
        low, high, scale, zero = (quant.array(i, d) for i, d in enumerate(("<f4", "<f4", "<f4", "<i8")))
    except Exception:  # no quantisation table
        low = high = scale = np.empty(0, "<f4")
        zero = np.empty(0, "<i8")
    return VendorTensor(
        fields.text(3),
        fields.array(0, "<i4").tolist(),
        np.dtype(TYPES[fields.number(1, number_types.Int8Flags)]),
        buffers[fields.number(2)],
        scale,
        int(zero[0]) if zero.size else 0,
        float(np.abs([*low, *high]).max(initial=0.0)),
    )


def load_dump(path: Path) -> tuple[dict[str, bytes], set[str]]:
    """(payload of every variable by name, names of what the operators made)."""
    data = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
    payloads: dict[str, bytes] = {}
    made = set()
    at = data.index(b"\n") + 1
    while at < len(data):
        first, second, size = data[at : at + 4096].split(b"\n")[:3]
        start = at + len(first) + len(second) + len(size) + 3
        stop = start + int(size.rsplit(b" ", 1)[1])
        name = first.split(b" name: ", 1)[1].rsplit(b" bConstant:", 1)[0].decode()
        if first.endswith(b":0"):
            payloads[name] = data[start:stop]
            if first.startswith(b"//out"):
                made.add(name)
        at = stop + len(b"\n};\n")
        if data.startswith(b"//buffer data size: ", at):
            at = data.index(b"\n", at) + 1
    return payloads, made
