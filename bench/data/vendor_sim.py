"""Writes .sim files of any content in the vendor's layout: FlatBuffers tables by slot number (SPEC 10.2, 10.3).

Independent of ipudebug's reader: it knows the format from its description, and builds tables with the FlatBuffers
package's own builder. Tests and the fuzzer of the bench make their models with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np

CODES = {"float32": 0, "int32": 2, "uint8": 3, "int64": 4, "bool": 6, "int16": 7, "int8": 9}
CUSTOM = 32
FLOAT, CMODEL, FIXED = "Sigmastar Float", "Sigmastar Cmodel Float", "Sigmastar Cmodel With IPU CTRL"


@dataclass
class Tensor:
    """A tensor; ``data`` makes it a constant, ``raw`` gives a constant's bytes as they lie in the file."""

    name: str
    shape: Sequence[int]
    dtype: str = "float32"
    data: np.ndarray | None = None
    raw: bytes | None = None
    minimum: Sequence[float] = ()
    maximum: Sequence[float] = ()
    scale: Sequence[float] = ()
    zero: Sequence[int] = ()
    ddr: int = 0
    flag: int = 16


@dataclass
class Operator:
    """An operator: a code or a custom name, numbers of tensors, options as slot -> (kind, value)."""

    code: int | str
    inputs: Sequence[int]
    outputs: Sequence[int]
    options: Mapping[int, tuple[str, float]] | None = None
    options_type: int = 1
    domain: int = 0


@dataclass
class Sim:
    """A whole model; a ``plain`` one has TFLite's own slots only, so that other TFLite readers take it."""

    tensors: list[Tensor] = field(default_factory=list)
    operators: list[Operator] = field(default_factory=list)
    inputs: Sequence[int] = (0,)
    outputs: Sequence[int] = (1,)
    description: str = FLOAT
    formats: Sequence[int] = (0,)
    conversion: Sequence[int] = ()
    version: int = 3
    subgraphs: int = 1
    plain: bool = False


_PREPEND = {"i8": "PrependInt8Slot", "u8": "PrependUint8Slot", "i32": "PrependInt32Slot", "u32": "PrependUint32Slot"}
_PREPEND |= {"f32": "PrependFloat32Slot", "ref": "PrependUOffsetTRelativeSlot"}


def _table(builder: Any, fields: Mapping[int, tuple[str, Any]]) -> int:
    """Write a table of slot -> (kind, value); zeros are written, too."""
    builder.StartObject(max(fields, default=-1) + 1)
    builder.ForceDefaults(True)
    for slot, (kind, value) in fields.items():
        getattr(builder, _PREPEND[kind])(slot, value, 0)
    builder.ForceDefaults(False)
    return builder.EndObject()


def _references(builder: Any, offsets: Sequence[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def _vector(builder: Any, values: Sequence[float], dtype: str) -> int:
    return builder.CreateNumpyVector(np.array(values, dtype))


def _bytes_of(tensor: Tensor) -> bytes:
    if tensor.raw is not None:
        return tensor.raw
    return b"" if tensor.data is None else np.ascontiguousarray(tensor.data, tensor.dtype).tobytes()


def _write_tensor(builder: Any, tensor: Tensor, buffer: int, plain: bool) -> int:
    name = builder.CreateString(tensor.name)
    shape = _vector(builder, tensor.shape, "<i4")
    numbers = ((tensor.minimum, "<f4"), (tensor.maximum, "<f4"), (tensor.scale, "<f4"), (tensor.zero, "<i8"))
    parts = {i: ("ref", _vector(builder, *part)) for i, part in enumerate(numbers) if len(part[0])}
    fields: dict[int, tuple[str, Any]]
    fields = {0: ("ref", shape), 1: ("i8", CODES[tensor.dtype]), 2: ("u32", buffer), 3: ("ref", name)}
    if plain:
        return _table(builder, fields)
    quantisation = _table(builder, {**parts, 6: ("u8", 1)})
    return _table(
        builder, {**fields, 4: ("ref", quantisation), 6: ("u8", tensor.ddr), 9: ("i32", tensor.flag), 10: ("i8", 0)}
    )


def _write_operator(builder: Any, operator: Operator, code: int, plain: bool) -> int:
    inputs, outputs = _vector(builder, operator.inputs, "<i4"), _vector(builder, operator.outputs, "<i4")
    fields: dict[int, tuple[str, Any]] = {0: ("u32", code), 1: ("ref", inputs), 2: ("ref", outputs)}
    if operator.options is not None:
        fields[3] = ("u8", operator.options_type)
        fields[4] = ("ref", _table(builder, operator.options))
    return _table(builder, fields if plain else {**fields, 8: ("i32", operator.domain)})


def write_sim(sim: Sim) -> bytes:
    """Return the bytes of a .sim file."""
    builder = flatbuffers.Builder(1024)
    first = [b""] if sim.plain else []  # TFLite's buffer 0 is nobody's
    contents = [*first, *map(_bytes_of, sim.tensors)]
    buffers = [
        _table(builder, {} if sim.plain and not data else {0: ("ref", builder.CreateByteVector(data))})
        for data in contents
    ]
    tensors = [
        _write_tensor(builder, tensor, number, sim.plain) for number, tensor in enumerate(sim.tensors, len(first))
    ]
    codes = list(dict.fromkeys(operator.code for operator in sim.operators))
    operators = [
        _write_operator(builder, operator, codes.index(operator.code), sim.plain) for operator in sim.operators
    ]
    names = [builder.CreateString(code if isinstance(code, str) else "") for code in codes]
    numbers = [CUSTOM if isinstance(code, str) else code for code in codes]
    code_tables = [
        _table(builder, {0: ("i8", number), 1: ("ref", name)}) for number, name in zip(numbers, names, strict=True)
    ]
    lists = [_references(builder, offsets) for offsets in (tensors, operators)]
    edges = [_vector(builder, values, "<i4") for values in (sim.inputs, sim.outputs)]
    formats = _vector(builder, sim.formats, "u1")
    conversion = _references(builder, [_table(builder, {0: ("ref", _vector(builder, sim.conversion, "<i2"))})])
    name = builder.CreateString("eason")
    standard = {0: ("ref", lists[0]), 1: ("ref", edges[0]), 2: ("ref", edges[1]), 3: ("ref", lists[1])}
    own = {4: ("ref", name), 5: ("i32", 0), 6: ("ref", formats), 7: ("ref", formats), 10: ("ref", conversion)}
    graph = _table(builder, standard if sim.plain else standard | own)
    graphs = _references(builder, [graph] * sim.subgraphs)
    all_codes, all_buffers = _references(builder, code_tables), _references(builder, buffers)
    description, sdk = builder.CreateString(sim.description), builder.CreateString("1.1.5_synthetic")
    root = _table(
        builder,
        {
            0: ("u32", sim.version),
            1: ("ref", all_codes),
            2: ("ref", graphs),
            3: ("ref", description),
            4: ("ref", all_buffers),
            **({} if sim.plain else {6: ("ref", sdk)}),
        },
    )
    builder.Finish(root, file_identifier=b"TFL3")
    return bytes(builder.Output())
