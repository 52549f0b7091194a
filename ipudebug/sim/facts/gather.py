"""A path -> the facts of the model in it."""

from __future__ import annotations

from ipudebug.errors import ModelError
from ipudebug.sim.container import Kind, recognise_model
from ipudebug.sim.facts import ModelFacts
from ipudebug.sim.facts.caffe import gather_caffe
from ipudebug.sim.facts.onnx_graph import gather_onnx
from ipudebug.sim.facts.tflite import gather_tflite
from ipudebug.sim.facts.vendor import gather_vendor
from ipudebug.sim.parsing import parse_model


def gather_facts(path: str) -> ModelFacts:
    """Return what a model file of any known kind says; raises ModelError.

    Kinds: float, fixed and compiled models of the vendor's and of ours, ONNX, TFLite, Caffe (``.prototxt``).
    """
    file = recognise_model(path)
    if file.kind is Kind.VENDOR:
        return gather_vendor(path, file.what)
    if file.kind is Kind.TFLITE:
        return gather_tflite(path, file.what)
    if file.kind is Kind.CAFFE:
        return gather_caffe(path, file.what)
    if file.kind in (Kind.ONNX, Kind.IPUDEBUG):
        return gather_onnx(path, parse_model(path), file.what)
    if file.kind is Kind.SEALED:
        from ipudebug.sim.seal import open_sealed

        return gather_onnx(path, open_sealed(path).graph, file.what, stage="offline")
    raise ModelError(
        f"{path}: not recognised model: {file.what}",
        "give a .sim, an .img, or an ONNX, TFLite or Caffe (.prototxt) model",
    )
