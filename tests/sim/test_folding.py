"""Constants: computed as onnxruntime computes them, and never allowed to explode."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from ipudebug.errors import ModelError
from ipudebug.sim import folding
from tests.sim.constraints.models import build_model
from tests.sim.convert_models import compare_with_original, convert, list_ops


def weights_of(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def expand(size: int) -> onnx.ModelProto:
    """Return a model that adds its input to a constant of that many bytes, made of two numbers."""
    nodes = [
        helper.make_node("ConstantOfShape", ["n"], ["c"], value=helper.make_tensor("v", 1, [1], [2.0])),
        helper.make_node("Add", ["c", "x"], ["s"]),
        helper.make_node("ReduceSum", ["s"], ["y"]),
    ]
    return build_model(nodes, {"x": (1,)}, ["y"], {"n": np.array([size // 4])})


def test_small_constants_are_computed_and_large_ones_stay(tmp_path: Path) -> None:
    small = convert(expand(folding.LARGEST), tmp_path)
    assert list_ops(small.model) == ["Add", "ReduceSum"]
    assert np.array_equal(weights_of(small.model)["c"], np.full(folding.LARGEST // 4, 2, np.float32))
    for size in (folding.LARGEST + 4, 1 << 40):
        large = convert(expand(size), tmp_path)
        assert list_ops(large.model) == ["ConstantOfShape", "Add", "ReduceSum"]
        assert large.model.ByteSize() < 1000


def test_many_constants_share_one_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "LARGEST_SUM", 3000)
    nodes = [helper.make_node("ConstantOfShape", ["n"], [f"c{index}"]) for index in range(4)]
    nodes.append(helper.make_node("Max", ["x", *(f"c{index}" for index in range(4))], ["y"]))
    done = convert(build_model(nodes, {"x": (1,)}, ["y"], {"n": np.array([250])}), tmp_path)
    assert list_ops(done.model) == ["ConstantOfShape", "Max"]


def test_a_large_weight_may_be_rearranged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "LARGEST", 0)
    weight = np.random.default_rng(0).standard_normal((40, 50)).astype(np.float32)
    nodes = [helper.make_node("Transpose", ["w"], ["t"]), helper.make_node("MatMul", ["x", "t"], ["y"])]
    done = convert(build_model(nodes, {"x": (2, 50)}, ["y"], {"w": weight}), tmp_path)
    assert list_ops(done.model) == ["MatMul"]
    assert list(weights_of(done.model)) == ["t"]
    assert np.array_equal(weights_of(done.model)["t"], weight.T)


def test_the_shape_of_a_tensor_is_a_constant(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["r"]),
        helper.make_node("Shape", ["r"], ["s"], start=1, end=-1),
        helper.make_node("Size", ["r"], ["n"]),
        helper.make_node("Cast", ["n"], ["f"], to=1),
        helper.make_node("Expand", ["f", "s"], ["y"]),
        helper.make_node("Identity", ["r"], ["z"]),
    ]
    done = convert(build_model(nodes, {"x": ("N", 3, 4, 5)}, ["y", "z"]), tmp_path)
    assert list_ops(done.model) == ["Relu", "Constant"] or list_ops(done.model) == ["Constant", "Relu"]
    constant = next(node for node in done.model.graph.node if node.op_type == "Constant")
    assert np.array_equal(numpy_helper.to_array(constant.attribute[0].t), np.full((3, 4), 60, np.float32))
    assert compare_with_original(str(tmp_path / "net.onnx"), done, tmp_path).worst == 1.0


def test_what_is_random_stays(tmp_path: Path) -> None:
    nodes = [helper.make_node("RandomNormal", [], ["r"], shape=[3]), helper.make_node("Add", ["x", "r"], ["y"])]
    done = convert(build_model(nodes, {"x": (3,)}, ["y"]), tmp_path)
    assert list_ops(done.model) == ["RandomNormal", "Add"]


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("value_float", 1.5, np.float32(1.5)),
        ("value_floats", [1.5, 2.5], np.array([1.5, 2.5], np.float32)),
        ("value_int", 3, np.int64(3)),
        ("value_ints", [3, 4], np.array([3, 4])),
    ],
)
def test_every_form_of_a_constant(key: str, value: object, expected: np.ndarray, tmp_path: Path) -> None:
    nodes = [helper.make_node("Constant", [], ["c"], **{key: value}), helper.make_node("Cast", ["c"], ["f"], to=1)]
    nodes.append(helper.make_node("Add", ["x", "f"], ["y"]))
    done = convert(build_model(nodes, {"x": (2,)}, ["y"]), tmp_path)
    assert list_ops(done.model) == ["Add"]
    assert np.array_equal(weights_of(done.model)["f"], np.asarray(expected, np.float32))


def test_what_a_body_reads_from_around_it_stays(tmp_path: Path) -> None:
    body = helper.make_graph([helper.make_node("Add", ["i", "k"], ["o"])], "b", [], [])
    outputs = [helper.make_tensor_value_info("o", 1, [2])]
    then_graph, else_graph = onnx.GraphProto(), onnx.GraphProto()
    for graph in (then_graph, else_graph):
        graph.CopyFrom(body)
        graph.output.extend(outputs)
    nodes = [
        helper.make_node("Identity", ["x"], ["i"]),
        helper.make_node("Constant", [], ["k"], value_floats=[1.0, 2.0]),
        helper.make_node("ReduceMax", ["x"], ["m"], keepdims=0),
        helper.make_node("Cast", ["m"], ["c"], to=9),
        helper.make_node("If", ["c"], ["y"], then_branch=then_graph, else_branch=else_graph),
    ]
    done = convert(build_model(nodes, {"x": (2,)}, ["y"], opset=17), tmp_path)
    assert list_ops(done.model) == ["Identity", "ReduceMax", "Cast", "If"]
    assert compare_with_original(str(tmp_path / "net.onnx"), done, tmp_path).worst == 1.0


def test_a_shape_that_nobody_infers_is_measured(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("MeanVarianceNormalization", ["x"], ["m"]),
        helper.make_node("Shape", ["m"], ["s"]),
        helper.make_node("Relu", ["m"], ["r"]),
        helper.make_node("Reshape", ["r", "s"], ["y"]),
    ]
    ends = [helper.make_tensor_value_info("x", 1, [1, 2, 3, 4])], [helper.make_tensor_value_info("y", 1, None)]
    opset = helper.make_opsetid("", 13)  # whose own rules have no shape for the first node
    model = helper.make_model(helper.make_graph(nodes, "net", *ends), opset_imports=[opset], ir_version=8)
    done = convert(model, tmp_path)
    infos = (*done.model.graph.value_info, *done.model.graph.output)
    shapes = {info.name: [dim.dim_value for dim in info.type.tensor_type.shape.dim] for info in infos}
    assert shapes == {name: [1, 2, 3, 4] for name in ("m", *shapes)}
    assert "Shape" not in list_ops(done.model)


@pytest.mark.parametrize("stated", [(2,), None])
def test_of_a_loop_the_stated_shape_counts(stated: tuple[int, ...] | None, tmp_path: Path) -> None:
    values = [("i", 7, []), ("go", 9, []), ("s", 1, None), ("on", 9, []), ("t", 1, None)]
    infos = [helper.make_tensor_value_info(*value) for value in values]
    steps = [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Add", ["s", "s"], ["t"])]
    body = helper.make_graph(steps, "b", infos[:3], infos[3:])
    nodes = [helper.make_node("Loop", ["n", "", "x"], ["y"], body=body)]
    model = build_model(nodes, {"x": (2,)}, ["y"], {"n": np.int64(3)}, opset=17)
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", 1, stated))
    if stated is None:
        with pytest.raises(ModelError, match=r"tensor \[y\] has dynamic shape that cannot be figured out!"):
            convert(model, tmp_path)
        return
    done = convert(model, tmp_path)
    assert [dim.dim_value for dim in done.model.graph.output[0].type.tensor_type.shape.dim] == [2]
    assert compare_with_original(str(tmp_path / "net.onnx"), done, tmp_path).worst == 1.0
