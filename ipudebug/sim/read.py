"""A float or fixed model of ours, in a file or in memory -> the model that runs and can be dumped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from ipudebug.config.input_config import InputConfig, parse_input_config
from ipudebug.errors import ModelError
from ipudebug.runners import ModelFiles
from ipudebug.runners.model_file import open_model
from ipudebug.sim.model import BoardInput, SimModel, Stage
from ipudebug.sim.operations import list_conversions, list_operations
from ipudebug.sim.stage import SimFacts, read_facts
from ipudebug.sim.tensors import Constants, list_tensors

if TYPE_CHECKING:
    from onnx import ModelProto

FORMAT_ALIGNMENTS = {
    "RGBA": ("xrgb_h_pitch_alignment", ""),
    "BGRA": ("xrgb_h_pitch_alignment", ""),
    "YUV_NV12": ("yuv420_h_pitch_alignment", "yuv420_v_pitch_alignment"),
}
"""The older alignment keys of a format: those of its width and of its height."""


def read_sim(path: str) -> SimModel:
    """Return the model in a float or fixed file of ours; raises ModelError."""

    def load() -> ModelProto:
        from ipudebug.sim.parsing import parse_model  # what checks a model is not needed to run one

        return parse_model(path)

    return _describe(ModelFiles(path), load)


def build_sim(model: ModelProto, path: str) -> SimModel:
    """Return the model that a float or fixed ONNX model of ours is; ``path`` is where it was found, or is to go.

    Raises ModelError for one that is none, or whose tensors have no fixed shapes.
    """
    return _describe(ModelFiles(path, data=model.SerializeToString()), lambda: model)


def _describe(files: ModelFiles, load: Callable[[], ModelProto]) -> SimModel:
    """Return the model in a file of ours, or in memory; raises ModelError."""
    path, file = files.model, files.open()
    graph = open_model(file)
    facts = read_facts(graph.metadata, path)
    if facts is None:
        raise ModelError(f"{path}: expected a simulated model, found an original one", "ipudebug convert makes one")
    stage = Stage(facts.stage.value)
    operations = list_operations(graph, stage)
    converted = list_conversions(graph)
    tensors = list_tensors(graph, file, operations, converted.values())
    config = _parse_config(facts, path)
    return SimModel(
        stage=stage,
        kind="ipudebug",
        files=replace(files, graph=graph),
        load=load,
        operations=operations,
        tensors=tensors,
        constants=Constants(graph, file, tensors),
        inputs=tuple(describe_input(value.name, config) for value in graph.feeds),
        converted=converted,
        chip=facts.chip,
        path=path,
    )


def read_input_config(model: SimModel) -> InputConfig | None:
    """Return what the input_config.ini says that a model was made with, or None: a vendor's has none."""
    facts = read_facts(model.structure.metadata, model.path)
    return _parse_config(facts, model.path) if facts is not None else None


def _parse_config(facts: SimFacts, path: str) -> InputConfig | None:
    """Return what the text of the ini in a model's metadata says; None where there is none."""
    return parse_input_config(facts.input_config, path) if facts.input_config.strip() else None


def describe_input(name: str, config: InputConfig | None) -> BoardInput:
    """Return how the board is fed with an input; without formats in the ini it takes what the model takes."""
    if config is None or name not in config.inputs:
        return BoardInput(name, "", "")
    place = config.inputs.index(name)
    if not config.input_formats:
        return BoardInput(name, "", "")
    form = config.input_formats[place]
    width, height = config.input_width_alignment[place], config.input_height_alignment[place]
    for number, key in enumerate(FORMAT_ALIGNMENTS.get(form, ())):
        if key in config.legacy_alignments:
            value = config.legacy_alignments[key]
            width, height = (value, height) if number == 0 else (width, value)
    return BoardInput(
        name,
        config.training_input_formats[place],
        form,
        config.mean[place] if config.mean else (),
        config.std_value[place] if config.std_value else (),
        width,
        height,
    )
