"""A simulated model -> its file, which is checked and loads in onnxruntime before it takes its name.

A model of more than LARGEST_FILE bytes has its weights in a second file beside it, ``<name>.data``, as ONNX defines it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ipudebug.errors import ModelError
from ipudebug.files import replace_file
from ipudebug.runners.session import shorten
from ipudebug.sim.draft import count_bytes
from ipudebug.sim.single_node import open_session

if TYPE_CHECKING:
    from typing import BinaryIO

    from onnx import ModelProto

LARGEST_FILE = 2_000_000_000
"""Bytes of weights in one file; a protocol-buffer message ends at 2 GiB."""
SMALLEST_OUTSIDE = 1024
"""Bytes of a weight that is worth a place in the second file."""
PAGE = 4096
"""What weights in the second file begin at a multiple of, so that they can be mapped."""


def save_sim(model: ModelProto, path: str, *, largest_file: int = LARGEST_FILE) -> list[str]:
    """Write a model to ``path``, replacing what is there, and return the names of the files written.

    With a second file, the weights are moved out of ``model``. Raises ModelError if the model is no valid ONNX or
    onnxruntime refuses it, OutputError if it cannot be written; nothing is replaced then.
    """
    if _count_bytes(model) <= largest_file:
        data = model.SerializeToString()
        _check(data, data, path)
        with replace_file(path) as file:
            file.write(data)
        return [path]
    beside = f"{path}.data"
    with replace_file(path) as file, replace_file(beside) as second:
        _move_weights(model, second)
        second.flush()
        _set_location(model, second.name)
        folder = os.path.dirname(os.path.abspath(path))
        _check(_drop_outside(model).SerializeToString(), model.SerializeToString(), path, folder)
        _set_location(model, beside)
        file.write(model.SerializeToString())
    return [path, beside]


def _count_bytes(model: ModelProto) -> int:
    """Return the size of everything in a model that may be large."""
    constants = (attribute.t for node in model.graph.node for attribute in node.attribute if attribute.HasField("t"))
    return sum(map(count_bytes, (*model.graph.initializer, *constants)))


def _check(structure: bytes, whole: bytes, path: str, folder: str = "") -> None:
    """Raise ModelError unless ``structure`` is valid ONNX and onnxruntime loads ``whole``."""
    import onnx

    hint = "check the original with onnx.checker.check_model; if that is in order, please report this model"
    try:
        onnx.checker.check_model(structure)
    except onnx.checker.ValidationError as reason:
        words = " ".join(str(reason).split())
        raise ModelError(f"{path} would be no valid ONNX model: {words}", hint) from None
    try:
        open_session(whole, folder)
    except Exception as reason:  # onnxruntime's own errors have no base class but this one
        raise ModelError(f"{path}: onnxruntime does not load the model: {shorten(str(reason))}", hint) from None


def _move_weights(model: ModelProto, file: BinaryIO) -> None:
    """Write the large weights to ``file`` and leave their places in the model."""
    from onnx import numpy_helper

    for tensor in model.graph.initializer:
        if not tensor.HasField("raw_data"):
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor), tensor.name))
        size = len(tensor.raw_data)
        if size < SMALLEST_OUTSIDE:
            continue
        start = -(-file.tell() // PAGE) * PAGE
        file.write(b"\0" * (start - file.tell()))
        file.write(tensor.raw_data)
        tensor.ClearField("raw_data")
        tensor.data_location = tensor.EXTERNAL
        for key, value in (("location", ""), ("offset", str(start)), ("length", str(size))):
            tensor.external_data.add(key=key, value=value)


def _set_location(model: ModelProto, path: str) -> None:
    """Name the file that the weights outside are in."""
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = os.path.basename(path)


def _drop_outside(model: ModelProto) -> ModelProto:
    """Return the model with inputs in the place of the weights outside, whose files the checker would look for."""
    import onnx

    inside = onnx.ModelProto()
    inside.CopyFrom(model)
    del inside.graph.initializer[:]
    for tensor in model.graph.initializer:
        if tensor.data_location == tensor.EXTERNAL:
            info = onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims))
            inside.graph.input.append(info)
        else:
            inside.graph.initializer.append(tensor)
    return inside
