"""Small .sim files made for a test: one operator between inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx

from bench.data.vendor_sim import FIXED, Operator, Sim, Tensor, write_sim
from ipudebug.runners import RUNNERS, ModelFiles
from ipudebug.sim.model import SimModel
from ipudebug.sim.vendor import read_vendor
from tests.sim.vendor.interpreter import interpret

Options = Mapping[int, tuple[str, float]]


def constant(name: str, data: np.ndarray) -> Tensor:
    """Return a constant of a float model."""
    return Tensor(name, data.shape, data.dtype.name, data, flag=0)


def write_network(
    folder: Path,
    code: int | str,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    options: Options | None = None,
    **more: object,
) -> Path:
    """Write a model of one operator and return its path; inputs without data are the graph's."""
    tensors = [*inputs, *outputs]
    first = len(inputs)
    operator = Operator(code, range(first), range(first, len(tensors)), options)
    feeds = [i for i, tensor in enumerate(inputs) if tensor.data is None and tensor.raw is None]
    sim = Sim(tensors, [operator], feeds, list(operator.outputs), **more)  # type: ignore[arg-type]
    path = folder / "network.sim"
    path.write_bytes(write_sim(sim))
    return path


def run_float(path: Path, *feeds: np.ndarray) -> list[np.ndarray]:
    """Return the outputs of a float model in the file's order of axes; ``feeds`` likewise."""
    model = read_vendor(path)
    onnx.checker.check_model(model.graph, full_check=True)
    saved = path.with_suffix(".onnx")
    onnx.save(model.graph, saved)
    names = [entry.name for entry in model.graph.graph.input]
    feed = {
        name: np.ascontiguousarray(array.transpose(0, 3, 1, 2)) if array.ndim == 4 else array
        for name, array in zip(names, feeds, strict=True)
    }
    traced = {tensor.info.name: tensor.array for tensor in RUNNERS["onnx"](ModelFiles(str(saved))).trace(feed)}
    return [traced[entry.name] for entry in model.graph.graph.output]


def run_one(
    folder: Path, code: int | str, x: np.ndarray, extra: list[Tensor], shape: tuple[int, ...], options: Options | None
) -> np.ndarray:
    """Return the output of a float model of one operator with one activation as input."""
    tensors = [Tensor("x", x.shape, flag=1), *extra]
    path = write_network(folder, code, tensors, [Tensor("y", shape, flag=2)], options)
    return run_float(path, x)[0]


def write_fixed(
    folder: Path, code: int | str, inputs: Sequence[Tensor], outputs: Sequence[Tensor], options: Options | None = None
) -> Path:
    """Write a fixed model of one operator and return its path."""
    return write_network(folder, code, inputs, outputs, options, description=FIXED)


def run_fixed(model: SimModel, *feeds: np.ndarray) -> list[np.ndarray]:
    """Return the outputs of a fixed model in the file's order of axes; ``feeds`` likewise."""
    names = [entry.name for entry in model.graph.graph.input]
    feed = {
        name: np.ascontiguousarray(array.transpose(0, 3, 1, 2)) if array.ndim == 4 else array
        for name, array in zip(names, feeds, strict=True)
    }
    made = {tensor.info.name: tensor.array for tensor in interpret(model.graph, feed)}
    return [made[entry.name] for entry in model.graph.graph.output]
