"""Which nodes do nothing, and which name stays when they go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import NodeProto, helper

from tests.sim.constraints.models import build_model
from tests.sim.convert_models import compare_with_original, convert

SHAPE = (1, 3, 4, 4)
ZEROS, ONES = np.zeros(8, np.int64), np.ones(4, np.int64)


def edges(nodes: list[NodeProto], outputs: list[str], folder: Path, more: str = "", **constants: Any) -> list[str]:
    """Return ``input > output`` of each node that is left."""
    done = convert(build_model(nodes, {"x": SHAPE}, outputs, constants, opset=13), folder, more)
    assert [info.name for info in done.model.graph.output] == outputs
    assert compare_with_original(str(folder / "net.onnx"), done, folder).worst == 1.0
    return [f"{node.input[0]} > {node.output[0]}" for node in done.model.graph.node]


@pytest.mark.parametrize(
    ("op", "constants", "attributes", "gone"),
    [
        ("Identity", {}, {}, True),
        ("Dropout", {}, {}, True),
        ("Dropout", {"r": np.float32(0.5), "t": np.False_}, {}, True),
        ("Cast", {}, {"to": 1}, True),
        ("Cast", {}, {"to": 11}, False),
        ("Pad", {"p": ZEROS}, {}, True),
        ("Pad", {"p": np.array([0, 0, 1, 0, 0, 0, -1, 0])}, {}, False),
        ("Reshape", {"s": np.array([0, -1, 4, 4])}, {}, True),
        ("Reshape", {"s": np.array([3, 1, 4, 4])}, {}, False),
        ("Expand", {"s": np.array([1, 1, 4, 4])}, {}, True),
        ("Tile", {"n": ONES}, {}, True),
        ("Transpose", {}, {"perm": [0, 1, 2, 3]}, True),
        ("Transpose", {}, {"perm": [0, 1, 3, 2]}, False),
        ("Concat", {}, {"axis": 1}, True),
        ("Relu", {}, {}, False),
    ],
)
def test_which_nodes_do_nothing(
    op: str, constants: dict[str, Any], attributes: dict[str, Any], gone: bool, tmp_path: Path
) -> None:
    kind = attributes.get("to", 1)
    nodes = [
        helper.make_node("Relu", ["x"], ["a"]),
        helper.make_node(op, ["a", *constants], ["b"], **attributes),
        helper.make_node("Cast", ["b"], ["c"], to=1),
        helper.make_node("Sigmoid", ["c"], ["y"]),
    ]
    rest = [] if kind == 1 else ["b > c"]
    left = ["x > a", "a > y"] if gone else ["x > a", "a > b", *rest, f"{'c' if rest else 'b'} > y"]
    assert edges(nodes, ["y"], tmp_path, **constants) == left


def test_an_output_gives_its_name_to_what_makes_it(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["a"]),
        helper.make_node("Identity", ["a"], ["b"]),
        helper.make_node("Identity", ["b"], ["y"]),
        helper.make_node("Sigmoid", ["a"], ["z"]),
    ]
    assert edges(nodes, ["y", "z"], tmp_path) == ["x > y", "y > z"]


def test_two_outputs_of_one_value_need_a_node(tmp_path: Path) -> None:
    nodes = [helper.make_node("Relu", ["x"], ["a"]), *(helper.make_node("Identity", ["a"], [name]) for name in "yz")]
    assert edges(nodes, ["y", "z"], tmp_path) == ["x > y", "y > z"]


def test_inputs_and_outputs_keep_their_names(tmp_path: Path) -> None:
    nodes = [helper.make_node("Identity", ["x"], ["y"]), helper.make_node("Relu", ["y"], ["z"])]
    assert edges(nodes, ["y", "z"], tmp_path) == ["x > y", "y > z"]
    nodes = [helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Identity", ["y"], ["z"])]
    assert edges(nodes, ["y", "z"], tmp_path) == ["x > y", "y > z"]


def test_a_dropout_whose_mask_is_read_stays(tmp_path: Path) -> None:
    nodes = [helper.make_node("Dropout", ["x"], ["d", "m"]), helper.make_node("Cast", ["m"], ["f"], to=1)]
    nodes.append(helper.make_node("Add", ["d", "f"], ["y"]))
    assert edges(nodes, ["y"], tmp_path) == ["x > d", "m > f", "d > y"]


def test_a_tensor_that_the_ini_names_keeps_its_name(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["a"]),
        helper.make_node("Identity", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "w"], ["y"]),
    ]
    weight = np.ones((1, 3, 1, 1), np.float32)
    assert edges(nodes, ["y"], tmp_path, w=weight) == ["x > a", "a > y"]
    chosen = "[CONV_CONFIG]\ninput_format = CONV2D_INT16;\ntensor_arrays = b;\n"
    assert edges(nodes, ["y"], tmp_path, chosen, w=weight) == ["x > b", "b > y"]
