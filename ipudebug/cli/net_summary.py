"""A simulated model in a few lines: what goes in and what comes out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipudebug.sim.model import SimModel
    from ipudebug.tensor import TensorInfo


def describe_net(model: SimModel) -> Iterator[str]:
    """Yield the lines: the model, then each input and output."""
    from ipudebug.sim.feeding import list_ports

    chip = f", {model.chip}" if model.chip else ""
    yield f"Net: {os.path.basename(model.path)}, {model.stage.value} model{chip}"
    for number, port in enumerate(list_ports(model)):
        form = ""
        if model.stage.is_integer and port.board.input_format:
            form = f", {port.board.training_format} fed as {port.board.input_format}"
        yield f"  input {number}: {_describe(port.buffer_info)}{form}"
    for number, value in enumerate(model.structure.outputs):
        yield f"  output {number}: {_describe(model.tensors[value.name])}"


def _describe(info: TensorInfo) -> str:
    """Return name, type, shape, layout and quantisation of a tensor."""
    from ipudebug.tensor import dims

    layout = f" {info.layout.value}" if info.layout else ""
    quant = f", scale {info.quant.scale[0]:g}, zero point {info.quant.zero_point[0]}" if info.quant else ""
    return f"{info.name}, {info.dtype} {dims(info.shape)}{layout}{quant}"
