"""Writes models with their ini, converts them, and holds the result against the original."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from ipudebug.runners import RUNNERS, ModelFiles
from ipudebug.sim.container import open_sim
from ipudebug.sim.convert import Conversion, convert_model
from ipudebug.sim.draft import read_static_shape
from ipudebug.sim.model import Stage
from ipudebug.sim.saving import save_sim

CHIP = "souffle"


def write_ini(path: Path, inputs: Sequence[str], outputs: Sequence[str], more: str = "") -> str:
    """Return the path of an ini that names these tensors."""
    listed = [",".join(name.replace(":", "\\:") for name in names) for names in (inputs, outputs)]
    path.write_text(f"[INPUT_CONFIG]\ninputs = {listed[0]};\n[OUTPUT_CONFIG]\noutputs = {listed[1]};\n{more}")
    return str(path)


def write_model(model: onnx.ModelProto, folder: Path, more: str = "") -> tuple[str, str]:
    """Return the paths of the model and of an ini for it."""
    path = folder / "net.onnx"
    onnx.save(model, path)
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [info.name for info in model.graph.input if info.name not in constants]
    return str(path), write_ini(folder / "net.ini", inputs, [info.name for info in model.graph.output], more)


def convert(model: onnx.ModelProto, folder: Path, more: str = "", **options: Any) -> Conversion:
    """Return what becomes of a model."""
    path, ini = write_model(model, folder, more)
    return convert_model(path, ini, CHIP, **options)


def list_ops(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


@dataclass(frozen=True)
class Likeness:
    """How the tensors of a float model compare with those of the same name in the original."""

    names: tuple[str, ...]
    missing: tuple[str, ...]
    worst: float


def compare_with_original(original: str, conversion: Conversion, folder: Path, seed: int = 0) -> Likeness:
    """Save the float model, check it, run both on the same feed and compare all that both have."""
    target = str(folder / "net_float.sim")
    save_sim(conversion.model, target)
    assert open_sim(target, Stage.FLOAT).facts is not None
    check_shapes(onnx.load(target))
    runner = RUNNERS["onnx"](ModelFiles(target))
    source = np.random.default_rng(seed)
    feed = {info.name: source.standard_normal(info.shape).astype(info.dtype) for info in runner.inputs}
    own = {tensor.info.name: tensor.array for tensor in runner.trace(feed)}
    theirs = {tensor.info.name: tensor.array for tensor in RUNNERS["onnx"](ModelFiles(original)).trace(feed)}
    shared = [name for name in own if name in theirs]
    worst = min((cosine(own[name], theirs[name]) for name in shared), default=1.0)
    return Likeness(tuple(shared), tuple(name for name in own if name not in theirs), worst)


def check_shapes(model: onnx.ModelProto) -> None:
    """Assert that every tensor of a model has a type and a fixed shape."""
    onnx.checker.check_model(model, full_check=True)
    infos = (*model.graph.value_info, *model.graph.output, *model.graph.input)
    known = {info.name for info in infos if read_static_shape(info.type) is not None}
    known |= {tensor.name for tensor in model.graph.initializer}
    assert {name for node in model.graph.node for name in (*node.input, *node.output) if name} <= known


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Return the cosine of two arrays of the same shape; 1 where they are equal, zeros included."""
    assert a.shape == b.shape
    if np.array_equal(a, b):
        return 1.0
    x, y = a.astype(np.float64).reshape(-1), b.astype(np.float64).reshape(-1)
    return float(x @ y / np.sqrt((x @ x) * (y @ y)))
