"""A part of a model, between tensors that the user names."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import helper

from ipudebug.config.input_config import UnknownInput, UnknownOutput
from ipudebug.errors import InputError, ModelError
from ipudebug.sim.convert import convert_model
from ipudebug.sim.saving import save_sim
from tests.sim.constraints.models import build_model
from tests.sim.convert_models import CHIP, list_ops, write_ini

NODES = [
    helper.make_node("Relu", ["x"], ["a"]),
    helper.make_node("Sigmoid", ["a"], ["b"]),
    helper.make_node("Add", ["b", "z"], ["c"]),
    helper.make_node("LeakyRelu", ["c"], ["d"]),
]


def cut(
    folder: Path, names: tuple[list[str], list[str]], inputs: list[str] | None, outputs: list[str] | None
) -> tuple[list[str], list[str], list[str]]:
    """Return operators, inputs and outputs of what is cut out; ``names`` are those of the ini."""
    onnx.save(build_model(NODES, {"x": ("N", 3), "z": ("N", 3)}, ["d"]), folder / "net.onnx")
    ini = write_ini(folder / "net.ini", *names)
    path = str(folder / "net.onnx")
    done = convert_model(path, ini, CHIP, input_arrays=inputs, output_arrays=outputs)
    graph = done.model.graph
    save_sim(done.model, str(folder / "net_float.sim"))
    return list_ops(done.model), [info.name for info in graph.input], [info.name for info in graph.output]


def test_an_end_inside_drops_what_it_does_not_need(tmp_path: Path) -> None:
    assert cut(tmp_path, (["x"], ["b", "a"]), None, ["b", "a"]) == (["Relu", "Sigmoid"], ["x"], ["b", "a"])


def test_a_beginning_inside_gets_its_type_from_the_model(tmp_path: Path) -> None:
    found = cut(tmp_path, (["z", "b"], ["d"]), ["z", "b"], None)
    assert found == (["Add", "LeakyRelu"], ["z", "b"], ["d"])


def test_both_ends(tmp_path: Path) -> None:
    assert cut(tmp_path, (["a"], ["b"]), ["a"], ["b"]) == (["Sigmoid"], ["a"], ["b"])


def test_what_cannot_be_cut(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the outputs depend on the input z too") as caught:
        cut(tmp_path, (["x"], ["d"]), ["x"], None)
    assert caught.value.hint == "add z, or cut the outputs with --output_arrays"
    with pytest.raises(UnknownInput, match='The model doesn\'t have input named "bb"'):
        cut(tmp_path, (["x"], ["d"]), ["bb"], None)
    with pytest.raises(UnknownOutput, match="'e' is no tensor of the model"):
        cut(tmp_path, (["x"], ["d"]), None, ["e"])
    with pytest.raises(InputError, match="--output_arrays: expected each tensor once, found b twice"):
        cut(tmp_path, (["x"], ["b"]), None, ["b", "b"])
    with pytest.raises(ModelError, match="expected a model that computes something, found no nodes"):
        cut(tmp_path, (["x"], ["x"]), ["x"], ["x"])
