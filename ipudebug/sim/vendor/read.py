"""A vendor's .sim -> a model that runs and can be dumped."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from ipudebug.runners import ModelFiles
from ipudebug.runners.model_file import MemoryFile, open_model
from ipudebug.sim.model import BoardInput, SimModel
from ipudebug.sim.vendor.fixed_graph import build_fixed
from ipudebug.sim.vendor.float_graph import build_float
from ipudebug.sim.vendor.operations import list_constants, list_operations, list_tensors, name_format
from ipudebug.sim.vendor.parse import parse_sim
from ipudebug.sim.vendor.tables import VendorModel

if TYPE_CHECKING:
    from onnx import ModelProto


def read_vendor(path: str | os.PathLike[str]) -> SimModel:
    """Return a float, cmodel float, fixed or compiled .sim of SDK 1.1.5 as a model that runs.

    Raises:
        ModelError: the file is damaged, of another kind, or contradicts itself.
        UnsupportedOp: it has an operator that cannot be computed; the hint lists those that can.
    """
    model = parse_sim(path)
    inexact: frozenset[int] = frozenset()
    if model.stage.is_integer:
        data, inexact = build_fixed(model)
    else:
        data = build_float(model)
    operations = list_operations(model, inexact)
    tensors = list_tensors(model, operations)
    return SimModel(
        stage=model.stage,
        kind="vendor",
        files=ModelFiles(model.path, data=data, graph=open_model(MemoryFile(model.path, data))),
        load=lambda: _load(data),
        operations=operations,
        tensors=tensors,
        constants=list_constants(model, tensors),
        inputs=tuple(_describe_input(model, place) for place in range(len(model.inputs))),
        path=model.path,
    )


def _load(data: bytes) -> ModelProto:
    """Return a model as the onnx package has it."""
    import onnx

    return onnx.load_model_from_string(data)


def _describe_input(model: VendorModel, place: int) -> BoardInput:
    """Return one input as the board is fed with it; mean and std stand in no .sim but in its first layer's numbers."""
    tensor = model.tensors[model.inputs[place]]
    raw = "RAWDATA_S16_NHWC" if tensor.dtype == np.int16 else ""
    return BoardInput(
        tensor.name,
        training_format=name_format(model.training_formats, place) or raw,
        input_format=name_format(model.input_formats, place) or raw,
    )
