"""LiteRT, the runtime of TFLite models: found, loaded and run, its failures turned into errors."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from ipudebug.errors import MissingDependency, ModelError, NodeFailed, UnsupportedOp
from ipudebug.files import OpenFile
from ipudebug.signatures import NEWER_SIM, OFFLINE, TFLITE

if TYPE_CHECKING:
    from ipudebug.runners import Feed


def import_litert() -> Any:
    """Return the module ai_edge_litert.interpreter; raises MissingDependency unless it is there."""
    try:
        from ai_edge_litert import interpreter
    except ImportError as reason:
        raise MissingDependency(
            f"TFLite models need ai-edge-litert: {reason}",
            "pip install 'ipudebug[tflite]'; ONNX and Caffe models, simulated models and compare work without it",
        ) from None
    return interpreter


def check_magic(path: str) -> None:
    """Raise ModelError unless the file is a TFLite FlatBuffer and not one of the vendor's simulated models."""
    file = OpenFile(path, "the TFLite model", ModelError)
    head = file.read(8, 0)
    if head[4:8] == NEWER_SIM or head[:4] == OFFLINE or path.endswith(".sim"):
        raise ModelError(f"{path} is a simulated model, not a TFLite model", "use: ipudebug simulate")
    if head[4:8] != TFLITE:
        raise ModelError(
            f"{path} is no TFLite model: expected 'TFL3' at byte 4, found {head[4:8]!r}",
            "give the .tflite file that TensorFlow's converter wrote",
        )


def load_interpreter(litert: Any, path: str, **options: Any) -> Any:
    """Return a new interpreter, so that no state is left from another run; raises UnsupportedOp, ModelError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "intended for debugging purposes only": this is
            interpreter = litert.Interpreter(model_path=path, **options)
        interpreter.allocate_tensors()
        for list_details in (interpreter.get_input_details, interpreter.get_output_details):
            list_details()  # fails on names that are no UTF-8
    except (ValueError, RuntimeError) as reason:
        raise _load_error(path, _one_line(reason)) from None
    return interpreter


def invoke(interpreter: Any, path: str, feed: Feed) -> Any:
    """Return the interpreter after it has run on ``feed``; raises NodeFailed."""
    try:
        for detail in interpreter.get_input_details():
            array = feed[name_of(detail)]
            if tuple(detail["shape"]) != array.shape:
                interpreter.resize_tensor_input(detail["index"], array.shape)
        interpreter.allocate_tensors()
        for detail in interpreter.get_input_details():
            interpreter.set_tensor(detail["index"], np.ascontiguousarray(feed[name_of(detail)]))
        interpreter.invoke()
    except (ValueError, RuntimeError) as reason:
        raise NodeFailed(
            f"{path}: LiteRT cannot run the model: {_one_line(reason)}",
            "check the shape of the inputs against the model",
        ) from None
    return interpreter


def list_operators(interpreter: Any, path: str) -> list[dict[str, Any]]:
    """Return what LiteRT says of each operator, in execution order; raises ModelError for names that are no UTF-8."""
    try:
        operators: list[dict[str, Any]] = interpreter._get_ops_details()
    except ValueError as reason:
        raise _load_error(path, _one_line(reason)) from None
    return operators


def name_of(detail: dict[str, Any]) -> str:
    """Return a tensor's name; one without a name is called after its number."""
    return str(detail["name"]) or f"tensor_{detail['index']}"


def _load_error(path: str, text: str) -> ModelError:
    """Return the error for a model that LiteRT does not load."""
    if "Select TensorFlow op" in text:
        return UnsupportedOp(
            f"{path} has operators of full TensorFlow (SELECT_TF_OPS): {text}",
            "convert the model with TFLITE_BUILTINS only; the IPU has no TensorFlow operators either",
        )
    if "custom op" in text or "Didn't find op" in text:
        return UnsupportedOp(f"{path}: {text}", "convert the model with built-in operators only")
    return ModelError(
        f"{path}: LiteRT cannot load the model: {text}",
        "check that the file is complete; for a simulated model use: ipudebug simulate",
    )


def _one_line(reason: object) -> str:
    return " ".join(str(reason).split())[:300]
