"""A model's path -> its ONNX graph without the weights: no rule reads them."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

from ipudebug.catalogue import load_entries
from ipudebug.errors import ModelError
from ipudebug.files import OpenFile
from ipudebug.signatures import find_signature
from ipudebug.sim.binding import bind_shapes, parse_shapes
from ipudebug.sim.constraints.graph import LARGEST_KEPT, Graph
from ipudebug.sim.container import NoModel

if TYPE_CHECKING:
    from onnx import GraphProto

NO_FILE, NOT_ONNX = "072", "073"
LARGEST_PROTOBUF = (1 << 31) - 1


def load_graph(path: str, input_shapes: str | None = None) -> Graph:
    """Return the graph of an ONNX file or of a float.sim that ipudebug wrote; raises NoModel, ModelError or InputError.

    Weights in other files are never opened, those inside the file are dropped as soon as it is parsed; local functions
    are expanded. ``input_shapes`` are the shapes of all inputs, such as ``1,3,224,224:1,10``.
    """
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    if not os.path.exists(path):
        raise NoModel(load_entries()[NO_FILE].fill([path]), "check the path and the working directory")
    file = OpenFile(path, "the model", ModelError)
    foreign = find_signature(file.map(0)) if file.size else None
    if foreign is None and file.size > LARGEST_PROTOBUF:
        hint = "save it with external data: onnx.save(model, path, save_as_external_data=True)"
        raise _refuse(path, file.size, f"{file.size} bytes, which is more than a protobuf holds", hint)
    if foreign is not None:
        hint = "check reads the original ONNX model or the float.sim made from it"
        raise _refuse(path, file.size, foreign.what, hint)
    try:
        model = onnx.load_model(path, format="protobuf", load_external_data=False)
    except (DecodeError, ValueError):
        raise _refuse(path, file.size, "something else", "name the .onnx file; is it complete?") from None
    if not model.HasField("graph") or not (model.opset_import or model.ir_version):
        raise _refuse(path, file.size, "no graph in it", "name the .onnx file; is it complete?")
    _drop_weights(model.graph)
    if model.functions:
        import onnx.inliner

        model = onnx.inliner.inline_local_functions(model)
    if input_shapes is not None:
        constants = {tensor.name for tensor in model.graph.initializer}
        inputs = [info for info in model.graph.input if info.name not in constants]
        bind_shapes(inputs, parse_shapes(input_shapes))
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
