"""A model's path -> its ONNX graph without the weights: no rule reads them."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

from ipudebug.catalogue import load_entries
from ipudebug.errors import ModelError
from ipudebug.files import OpenFile
from ipudebug.sim.constraints.graph import LARGEST_KEPT, Graph

if TYPE_CHECKING:
    from onnx import GraphProto

NO_FILE, NOT_ONNX = "072", "073"
OTHERS = {
    (4, b"TFL3"): "a TensorFlow Lite model or a .sim file of the vendor's",
    (4, b"SIM2"): "a .sim file of the vendor's",
    (0, b"SGSI"): "an offline model",
    (0, b"PK"): "a zip archive",
    (0, b"\x89HDF"): "an HDF5 file",
}
"""Where which bytes tell a file that is no ONNX model."""


class NoModel(ModelError, FileNotFoundError):
    """There is no such model."""


def load_graph(path: str) -> Graph:
    """Return the graph of an ONNX file or of a float.sim that ipudebug wrote; raises NoModel or ModelError.

    Weights in other files are never opened, those inside the file are dropped as soon as it is parsed; local functions
    are expanded.
    """
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    if not os.path.exists(path):
        raise NoModel(load_entries()[NO_FILE].fill([path]), "check the path and the working directory")
    file = OpenFile(path, "the model", ModelError)
    head = file.read(16, 0)
    other = next((what for (place, mark), what in OTHERS.items() if head[place:].startswith(mark)), None)
    if other:
        raise _refuse(path, file.size, other, "check reads the original ONNX model or the float.sim made from it")
    try:
        model = onnx.load_model(path, format="protobuf", load_external_data=False)
    except (DecodeError, ValueError):
        raise _refuse(path, file.size, "something else", "name the .onnx file; is it complete?") from None
    if not model.HasField("graph") or not model.opset_import:
        raise _refuse(path, file.size, "no graph or no opset in it", "name the .onnx file; is it complete?")
    _drop_weights(model.graph)
    if model.functions:
        import onnx.inliner

        model = onnx.inliner.inline_local_functions(model)
    return Graph(model)


def _refuse(path: str, size: int, found: str, hint: str) -> ModelError:
    """Return the error for a file that is no ONNX model; it ends in what the vendor's converter says of such a file."""
    vendor = load_entries()[NOT_ONNX].fill(["?", str(size)])
    return ModelError(f"{path}: expected an ONNX model, found {found}; the converter says {vendor}", hint)


def _drop_weights(graph: GraphProto) -> None:
    """Free the values of the large initializers; names, types and shapes stay."""
    for tensor in graph.initializer:
        if math.prod(tensor.dims) > LARGEST_KEPT:
            for field in ("raw_data", "float_data", "int32_data", "int64_data", "double_data", "uint64_data"):
                tensor.ClearField(field)
