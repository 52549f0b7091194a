"""A path -> the ONNX model in it as the onnx package has it, weights and all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ipudebug.errors import ModelError
from ipudebug.files import OpenFile
from ipudebug.runners.model_file import open_model
from ipudebug.sim.soundness import AGAIN, check_contents

if TYPE_CHECKING:
    from onnx import ModelProto


def parse_model(path: str) -> ModelProto:
    """Return the model in an ONNX file, with data of weights in other files; raises ModelError.

    Local functions are expanded.
    """
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        model = onnx.load_model(path, format="protobuf", load_external_data=False)
    except (DecodeError, ValueError) as reason:
        open_model(OpenFile(path, "the model", ModelError))  # says what it is instead, or where it breaks
        raise ModelError(f"{path}: not an ONNX model, or a damaged one: {reason}", AGAIN) from None
    try:
        onnx.external_data_helper.load_external_data_for_model(model, os.path.dirname(os.path.abspath(path)))
    except (OSError, ValueError, onnx.checker.ValidationError) as reason:
        open_model(OpenFile(path, "the model", ModelError))  # says which file is missing or too short
        raise ModelError(f"{path}: its weights cannot be read: {reason}", "copy the model and its data again") from None
    check_contents(model, path)
    if model.functions:
        import onnx.inliner

        model = onnx.inliner.inline_local_functions(model)
    return model
