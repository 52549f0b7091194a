"""A path -> the original ONNX model in it, weights and all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ipudebug.catalogue import load_entries
from ipudebug.errors import ModelError, UnsupportedOp
from ipudebug.sim.container import Kind, NoModel, SimFile, recognise_model
from ipudebug.sim.parsing import parse_model

if TYPE_CHECKING:
    from onnx import ModelProto

FRAMEWORKS = {"onnx": Kind.ONNX, "caffe": Kind.CAFFE, "tflite": Kind.TFLITE}
"""What a command line calls a framework -> the kind of its files."""
NO_FILE, NOT_ONNX = "072", "073"


def load_original(path: str, framework: str | None = None) -> ModelProto:
    """Return the model in an ONNX file; ``framework`` is what the file is said to be, None leaves it to the file.

    Local functions are expanded. Raises NoModel, UnsupportedOp for a Caffe or TFLite model, ModelError for what is no
    original model.
    """
    if not os.path.exists(path):
        raise NoModel(load_entries()[NO_FILE].fill([path]), "check the path and the working directory")
    found = recognise_model(path)
    if found.kind in (Kind.CAFFE, Kind.TFLITE) and framework != "onnx":
        raise UnsupportedOp(
            f"{path}: expected an ONNX model, found {found.what}: only ONNX models can be converted",
            "export the model to ONNX; run-caffe, run-tflite, dump-caffe and dump-tflite take it as it is",
        )
    if found.kind is not Kind.ONNX:
        raise _refuse(found)
    if framework not in (None, "onnx"):
        raise UnsupportedOp(
            f"{path}: it is said to be a {framework} model, but is an ONNX model", "leave the framework out"
        )
    return parse_model(path)


def _refuse(found: SimFile) -> ModelError:
    """Return the error for a file that is no ONNX model; it ends in what the vendor's converter says of such a file."""
    vendor = load_entries()[NOT_ONNX].fill(["?", str(os.path.getsize(found.path))])
    hint = "give the original .onnx file; is it complete?"
    if found.kind is Kind.IPUDEBUG:
        hint = "it is converted already: give the original .onnx file"
    return ModelError(f"{found.path}: expected an ONNX model, found {found.what}; the converter says {vendor}", hint)
