"""Converts and calibrates small nets on random numbers, and runs float and fixed side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from ipudebug.config.input_config import load_input_config
from ipudebug.inputs.feeds import Feeds
from ipudebug.runners import RUNNERS, ModelFiles
from ipudebug.sim.calibrate import Choice, calibrate_model
from ipudebug.sim.convert import convert_model
from ipudebug.sim.executor import FixedRunner
from ipudebug.sim.lower import Lowered
from ipudebug.sim.model import SimModel, Stage
from ipudebug.sim.read import build_sim
from ipudebug.sim.saving import save_sim
from ipudebug.sim.stage import SimFacts
from ipudebug.tensor import Tensor

CHIP = "souffle"
IMAGES = 6


@dataclass
class Calibrated:
    """A float model and the fixed one that was made of it."""

    source: SimModel
    lowered: Lowered
    fixed: SimModel
    arrays: list[list[np.ndarray]]
    notes: list[str]

    @property
    def kernels(self) -> list[str]:
        """Types of the nodes of the fixed graph."""
        return [node.op_type for node in self.lowered.model.graph.node]

    def feed(self, place: int) -> dict[str, np.ndarray]:
        """What the fixed graph is fed with for one sample: raw data quantised, pixels as they are."""
        feed = {}
        for info, array in zip(FixedRunner(self.fixed).inputs, self.arrays[place], strict=True):
            if info.quant is not None and array.dtype.kind == "f" and info.dtype.kind in "iu":
                steps = np.floor(array / info.quant.scale[0] + 0.5) + info.quant.zero_point[0]
                array = np.clip(steps, np.iinfo(info.dtype).min, np.iinfo(info.dtype).max)
            feed[info.name] = np.ascontiguousarray(array.astype(info.dtype))
        return feed

    def trace(self, place: int = 0) -> dict[str, Tensor]:
        """Every tensor that a dump of the fixed model shows."""
        return {tensor.info.name: tensor for tensor in FixedRunner(self.fixed).trace(self.feed(place))}

    def likeness(self, path: Path) -> dict[str, float]:
        """Name -> cosine of float and fixed over all samples, for what both compute."""
        runner = RUNNERS["onnx"](ModelFiles(str(path)))
        sums: dict[str, np.ndarray] = {}
        for place, arrays in enumerate(self.arrays):
            feed = {info.name: array.astype(info.dtype) for info, array in zip(runner.inputs, arrays, strict=True)}
            fixed = self.trace(place)
            for tensor in runner.trace(feed):
                other = fixed.get(tensor.info.name)
                if other is not None and tensor.array.dtype == np.float32:
                    a, b = tensor.array.astype(np.float64), real(other)
                    total = sums.setdefault(tensor.info.name, np.zeros(3))
                    total += ((a * b).sum(), (a * a).sum(), (b * b).sum())
        return {name: 1.0 if a == b == 0 else ab / np.sqrt(a * b) for name, (ab, a, b) in sums.items()}


def real(tensor: Tensor) -> np.ndarray:
    """A tensor's real numbers."""
    quant = tensor.info.quant
    values = tensor.array.astype(np.float64)
    return values if quant is None else (values - quant.zero_point[0]) * quant.scale[0]


def write_net(model: onnx.ModelProto, folder: Path, more: str = "", **formats: str) -> tuple[str, str]:
    """Save a model and an ini for it; inputs are raw data unless ``formats`` say otherwise."""
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [info.name for info in model.graph.input if info.name not in constants]
    outputs = [info.name for info in model.graph.output]
    kind = formats.pop("formats", ",".join(["RAWDATA_F32_NHWC"] * len(inputs)))
    board = formats.pop("board", kind)
    lines = "".join(f"{key} = {value};\n" for key, value in formats.items())
    ini = folder / "net.ini"
    ini.write_text(
        f"[INPUT_CONFIG]\ninputs = {','.join(inputs)};\ntraining_input_formats = {kind};\n"
        f"input_formats = {board};\n{lines}[OUTPUT_CONFIG]\noutputs = {','.join(outputs)};\n{more}"
    )
    path = folder / "net.onnx"
    onnx.save(model, path)
    return str(path), str(ini)


def calibrate_net(
    model: onnx.ModelProto, folder: Path, more: str = "", seed: int = 0, choice: Choice | None = None,
    arrays: list[list[np.ndarray]] | None = None, **formats: str,
) -> Calibrated:  # fmt: skip
    """Convert and calibrate a net; ``arrays`` are the samples, NCHW, random ones unless given."""
    path, ini = write_net(model, folder, more, **formats)
    target = folder / "net_float.sim"
    save_sim(convert_model(path, ini, CHIP).model, str(target))
    return calibrate_file(str(target), ini, seed, choice, arrays)


def calibrate_file(
    target: str, ini: str, seed: int = 0, choice: Choice | None = None, arrays: list[list[np.ndarray]] | None = None
) -> Calibrated:
    """Calibrate a float model on arrays, given as a preprocess would return them with norm=True but NCHW."""
    source = build_sim(onnx.load(target), target)
    infos = RUNNERS["onnx"](ModelFiles(target)).inputs
    if arrays is None:
        random = np.random.default_rng(seed)
        arrays = [[random.standard_normal(info.shape).astype(np.float32) for info in infos] for _ in range(IMAGES)]
    given = arrays

    def make(place: int) -> Any:
        def preprocess(name: str, norm: bool) -> np.ndarray:
            array = given[int(name)][place]
            return array.transpose(0, 2, 3, 1) if array.ndim == 4 else array

        return preprocess

    samples = [(str(number),) * len(infos) for number in range(len(arrays))]
    notes: list[str] = []
    functions = [make(place) for place in range(len(infos))]
    config = load_input_config(ini)
    feeds = Feeds(samples, functions, config, notes.append)
    facts = SimFacts(Stage.FIXED, CHIP, Path(ini).read_text())
    lowered = calibrate_model(source, feeds, functions, config, facts, choice or Choice())
    onnx.checker.check_model(lowered.model)
    return Calibrated(source, lowered, build_sim(lowered.model, "net_fixed.sim"), arrays, notes)


def constants_of(model: onnx.ModelProto) -> Mapping[str, np.ndarray]:
    """Initialisers by name."""
    return {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
