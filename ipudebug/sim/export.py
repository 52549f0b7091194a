"""A vendor's float model -> an ONNX file."""

from __future__ import annotations

import os

from ipudebug.errors import ModelError, OutputError
from ipudebug.files import replace_file
from ipudebug.sim.container import open_sim
from ipudebug.sim.loading import load_sim
from ipudebug.sim.model import Stage

_LARGEST = (1 << 31) - 1  # bytes of a protobuf message


def export_onnx(path: str, target: str) -> int:
    """Write the float model at ``path`` to ``target`` as standard ONNX and return its size in bytes.

    Raises ModelError for a model at another stage, NotRecognised for what is no simulated model, OutputError.
    """
    file = open_sim(path)
    model = load_sim(path)
    if model.stage not in (Stage.FLOAT, Stage.CMODEL_FLOAT):
        raise ModelError(
            f"{path}: expected a float model, found {file.what}: its integer operators are none of ONNX's",
            "give the float model",
        )
    if os.path.exists(target) and os.path.samefile(path, target):
        raise OutputError(f"-o {target} would overwrite the model", "give another name")
    data = model.files.data if model.files.data is not None else model.graph.SerializeToString()
    if len(data) > _LARGEST:
        raise OutputError(f"{path}: {len(data)} bytes are more than one ONNX file holds ({_LARGEST})")
    with replace_file(target) as out:
        out.write(data)
    return len(data)
