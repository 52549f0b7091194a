"""A .sim file -> its tables, checked."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from ipudebug.errors import ModelError
from ipudebug.sim.model import Stage
from ipudebug.sim.vendor.container import STAGES, load_flatbuffer
from ipudebug.sim.vendor.flatbuffer import FlatBuffer, Table
from ipudebug.sim.vendor.opcodes import CUSTOM, DTYPES, name_builtin
from ipudebug.sim.vendor.tables import VendorModel, VendorOperator, VendorTensor

_VERSION = 3
_MOST_DIMS = 8
_LARGEST = (1 << 31) - 1  # the chip's memory is counted in 31 bits
_HINT = "the file is damaged: copy it again in binary mode, or convert the model again"
_NO_SIM = "give a .sim that the vendor's converter or calibrator wrote"


def parse_sim(path: str | os.PathLike[str]) -> VendorModel:
    """Return what a .sim file says; raises ModelError for one that is damaged, contradicts itself, or is no .sim."""
    flat = load_flatbuffer(path)
    root = flat.root()
    description = root.text(3)
    stage = _find_stage(flat.path, root, description)
    graphs = root.tables(2, "subgraph")
    if len(graphs) != 1:
        raise ModelError(f"{flat.path}: expected 1 subgraph, found {len(graphs)}", _HINT)
    graph = graphs[0]
    tensors = _read_tensors(flat, root, graph)
    model = VendorModel(
        path=flat.path,
        stage=stage,
        version=root.integer(0, "I"),
        description=description,
        sdk=root.text(6),
        tensors=tensors,
        operators=_read_operators(flat, root, graph),
        inputs=tuple(graph.array(1, "<i4").tolist()),
        outputs=tuple(graph.array(2, "<i4").tolist()),
        input_formats=tuple(graph.array(6, "u1").tolist()),
        training_formats=tuple(graph.array(7, "u1").tolist()),
        conversions=tuple(tuple(part.array(0, "<i2").tolist()) for part in graph.tables(10, "input conversion")),
        memory_size=graph.integer(5),
    )
    _check_references(model)
    _check_order(model)
    return model


def _find_stage(path: str, root: Table, description: str) -> Stage:
    """Return the stage that the description names; raises ModelError for a TFLite file that is no .sim."""
    stage = STAGES.get(description)
    version = root.integer(0, "I")
    if stage is not None and version == _VERSION:
        return stage
    what = f"{path}: not recognised model"
    if stage is not None:
        raise ModelError(f"{what}: schema version {version}, expected {_VERSION}", _HINT)
    if description == "SGS MODEL":
        raise ModelError(
            f"{what}: the converter's intermediate file (Debug_*.sim), without the vendor's extensions",
            "give the *_float.sim that the converter wrote beside it",
        )
    if description.startswith(("SGS", "Sigmastar", "SigmaStar")):
        raise ModelError(f"{what}: description {description[:80]!r} is none of {', '.join(STAGES)}", _NO_SIM)
    raise ModelError(
        f"{what}: a TFLite model (description {description[:80]!r}), not a .sim",
        "run it with `ipudebug run-tflite`, or give a .sim",
    )


def _read_tensors(flat: FlatBuffer, root: Table, graph: Table) -> tuple[VendorTensor, ...]:
    """Return the tensors of a subgraph; raises ModelError for an impossible one."""
    buffers = [table.array(0, "u1") for table in root.tables(4, "buffer")]
    tensors: list[VendorTensor] = []
    names: dict[str, int] = {}
    for index, table in enumerate(graph.tables(0, "tensor")):
        name = table.text(3)
        what = f"{flat.path}: tensor {index} ({name[:80]!r})"
        if not name or names.setdefault(name, index) != index:
            fault = f"has the name of tensor {names[name]}" if name else "has no name"
            raise ModelError(f"{what} {fault}", _HINT)
        shape = tuple(table.array(0, "<i4").tolist())
        code, number = table.integer(1, "b"), table.integer(2, "I")
        if code not in DTYPES:
            raise ModelError(f"{what}: unknown element type {code}; known: {', '.join(map(str, DTYPES))}", _HINT)
        if number >= max(len(buffers), 1):
            raise ModelError(f"{what}: buffer {number} of {len(buffers)}", _HINT)
        is_empty_list = shape == (0,) and DTYPES[code] == np.int32  # the shape of a scalar, axes without any
        data = buffers[number] if buffers and (len(buffers[number]) or is_empty_list) else None
        if not is_empty_list or data is None:
            _check_shape(what, shape, DTYPES[code].itemsize)
        quantisation = table.table(4, f"quantisation of tensor {index}")
        memory = table.table(7, f"memory range of tensor {index}")
        tensors.append(
            VendorTensor(
                index=index,
                name=name,
                shape=shape,
                dtype=DTYPES[code],
                data=data,
                minimum=_read_numbers(quantisation, 0, "<f4"),
                maximum=_read_numbers(quantisation, 1, "<f4"),
                scale=_read_numbers(quantisation, 2, "<f4"),
                zero_point=_read_numbers(quantisation, 3, "<i8"),
                memory_layout=table.integer(6, "B"),
                memory=(memory.integer(0, "I"), memory.integer(1, "I")) if memory else (0, 0),
                flag=table.integer(9),
                target=table.integer(10, "b"),
            )
        )
    return tuple(tensors)


def _read_numbers(table: Table | None, slot: int, dtype: str) -> np.ndarray:
    """Return a vector of a table that may be missing."""
    return table.array(slot, dtype) if table is not None else np.empty(0, dtype)


def _check_shape(what: str, shape: Sequence[int], itemsize: int) -> None:
    """Raise ModelError for a shape that no tensor of the chip has."""
    if len(shape) > _MOST_DIMS or any(dim < 1 for dim in shape):
        raise ModelError(f"{what}: impossible shape {list(shape[: _MOST_DIMS + 1])}", _HINT)
    count = itemsize
    for dim in shape:
        count *= dim
    if count > _LARGEST:
        raise ModelError(f"{what}: shape {list(shape)} takes {count} bytes; the chip's memory has {_LARGEST}", _HINT)


def _read_operators(flat: FlatBuffer, root: Table, graph: Table) -> tuple[VendorOperator, ...]:
    """Return the operators of a subgraph with their names."""
    names = []
    for table in root.tables(1, "operator code"):
        code = table.integer(0, "b")
        code = code if code != 127 else table.integer(3)  # newer TFLite: numbers above 126 have a slot of their own
        names.append(table.text(1) if code == CUSTOM else name_builtin(code))
    operators = []
    for index, table in enumerate(graph.tables(3, "operator")):
        number = table.integer(0, "I")
        if number >= len(names):
            raise ModelError(f"{flat.path}: operator {index}: code {number} of {len(names)}", _HINT)
        operators.append(VendorOperator(index, names[number] or "CUSTOM", table, flat.path))
    return tuple(operators)


def _check_references(model: VendorModel) -> None:
    """Raise ModelError if a number refers to no tensor."""
    count = len(model.tensors)
    lists = [("the inputs", model.inputs, 0), ("the outputs", model.outputs, 0)]
    for operator in model.operators:
        lists.append((f"the inputs of {operator.describe()}", operator.inputs, -1))
        lists.append((f"the outputs of {operator.describe()}", operator.outputs, 0))
    for what, numbers, least in lists:
        for number in numbers:
            if not least <= number < count:
                raise ModelError(f"{model.path}: {what}: tensor {number} of {count}", _HINT)
    if not model.inputs or not model.outputs:
        raise ModelError(f"{model.path}: the graph has no inputs or no outputs", _HINT)


def _check_order(model: VendorModel) -> None:
    """Raise ModelError if a tensor is made twice, or is read before it is made."""
    known = {tensor.index for tensor in model.tensors if tensor.data is not None}
    for number in model.inputs:
        if number in known:
            raise ModelError(f"{model.path}: input {model.tensors[number].name!r} is a constant or given twice", _HINT)
        known.add(number)
    for operator in model.operators:
        for number in operator.inputs:
            if number >= 0 and number not in known:
                name = model.tensors[number].name
                raise ModelError(f"{model.path}: {operator.describe()} reads {name!r}, which nothing has made", _HINT)
        for number in operator.outputs:
            if number in known:
                name = model.tensors[number].name
                raise ModelError(f"{model.path}: {operator.describe()} makes {name!r}, which exists already", _HINT)
            known.add(number)
    for number in model.outputs:
        if number not in known:
            raise ModelError(f"{model.path}: output {model.tensors[number].name!r} is made by no operator", _HINT)
