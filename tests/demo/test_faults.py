"""Faults: what each does to its layer, computed anew from the layer's own inputs and outputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from ipudebug import demo
from ipudebug.demo.faults import FAULTS, MisplacedFault, find_fault, list_kinds, list_layers, plant_fault
from ipudebug.demo.graph import UnknownLayer
from ipudebug.errors import UnknownPlugin

MODEL = onnx.load(Path(demo.__file__).parent / "model.onnx")
PLACES = [(kind, layer) for kind in FAULTS for layer in list_layers(MODEL, kind)]


def run_layers(model: onnx.ModelProto, seed: int = 1) -> dict[str, np.ndarray]:
    """Return every tensor of a model with one input, computed by onnxruntime, on random input."""
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    del watched.graph.output[:]
    names = [name for node in model.graph.node for name in node.output]
    watched.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(watched.SerializeToString(), options, providers=["CPUExecutionProvider"])
    (wanted,) = session.get_inputs()
    dtype = {"tensor(float)": np.float32, "tensor(float16)": np.float16}[wanted.type]
    feed = np.random.default_rng(seed).normal(size=wanted.shape).astype(dtype)
    return dict(zip(names, session.run(names, {wanted.name: feed}), strict=True))


def make_model(
    nodes: list[onnx.NodeProto], shape: list[int], weights: dict[str, np.ndarray], element: int = TensorProto.FLOAT,
    opset: int = 13,
) -> onnx.ModelProto:  # fmt: skip
    last = nodes[-1].output[0]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", element, shape)],
        [helper.make_tensor_value_info(last, element, None)],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


@pytest.mark.parametrize(("kind", "layer"), PLACES)
def test_everything_before_the_layer_is_untouched_and_the_layer_is_not(kind: str, layer: str) -> None:
    before = MODEL.SerializeToString()
    planted = plant_fault(MODEL, layer, kind)
    assert MODEL.SerializeToString() == before
    onnx.checker.check_model(planted, full_check=True)
    names = [node.name for node in MODEL.graph.node]
    assert [node.name for node in planted.graph.node] == names
    assert [list(node.output) for node in planted.graph.node] == [list(node.output) for node in MODEL.graph.node]
    healthy, faulty = run_layers(MODEL), run_layers(planted)
    for name in names[: names.index(layer)]:
        assert np.array_equal(healthy[name], faulty[name]), name
    assert healthy[layer].shape == faulty[layer].shape
    assert not np.allclose(healthy[layer], faulty[layer], rtol=1e-3)


def test_wrong_scale() -> None:
    healthy, faulty = run_layers(MODEL), run_layers(plant_fault(MODEL, "conv4", "wrong_scale"))
    assert np.allclose(faulty["conv4"], healthy["conv4"] * 1.5, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("layer", ["conv4", "conv5_dw"])
def test_one_channel(layer: str) -> None:
    healthy, faulty = (
        tensors[layer][0] for tensors in (run_layers(MODEL), run_layers(plant_fault(MODEL, layer, "one_channel")))
    )
    (changed,) = [number for number in range(len(healthy)) if not np.array_equal(healthy[number], faulty[number])]
    assert np.allclose(faulty[changed], healthy[changed] * 8, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("layer", ["conv4", "conv6b", "fc"])
def test_channel_order(layer: str) -> None:
    healthy, faulty = run_layers(MODEL), run_layers(plant_fault(MODEL, layer, "channel_order"))
    assert np.allclose(faulty[layer], healthy[layer][:, ::-1], atol=1e-5)


def test_channel_order_of_a_batch_normalization_is_that_of_all_its_parameters() -> None:
    reverse = plant_fault(MODEL, "bn4", "channel_order")
    parameters = {item.name: numpy_helper.to_array(item) for item in MODEL.graph.initializer}
    scale, bias, mean, var = (parameters[f"bn4.{part}"][::-1, None, None] for part in ("scale", "bias", "mean", "var"))
    source = run_layers(MODEL)["conv4"]
    expected = (source - mean) / np.sqrt(var + 1e-5) * scale + bias
    assert np.allclose(run_layers(reverse)["bn4"], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("layer", "bias"), [("conv6b", "conv6b.bias"), ("bn3", "bn3.bias")])
def test_bias_dropped(layer: str, bias: str) -> None:
    healthy, faulty = run_layers(MODEL), run_layers(plant_fault(MODEL, layer, "bias_dropped"))
    (values,) = [numpy_helper.to_array(item) for item in MODEL.graph.initializer if item.name == bias]
    assert np.allclose(faulty[layer], healthy[layer] - values[:, None, None], atol=1e-5)


@pytest.mark.parametrize("layer", ["relu2", "relu4"])
def test_clipped(layer: str) -> None:
    healthy, faulty = run_layers(MODEL), run_layers(plant_fault(MODEL, layer, "clipped"))
    assert np.array_equal(faulty[layer], np.minimum(healthy[layer], np.float32(0.5)))


def test_clipped_in_half_precision() -> None:
    model = make_model([helper.make_node("Relu", ["x"], ["y"], "r")], [4, 9], {}, TensorProto.FLOAT16)
    healthy, faulty = run_layers(model)["y"], run_layers(plant_fault(model, "r", "clipped"))["y"]
    assert faulty.dtype == np.float16
    assert np.array_equal(faulty, np.minimum(healthy, np.float16(0.5)))


def test_clipped_where_the_clip_has_no_limits() -> None:
    model = make_model([helper.make_node("Clip", ["x"], ["y"], "c")], [4, 9], {})
    healthy, faulty = run_layers(model)["y"], run_layers(plant_fault(model, "c", "clipped"))["y"]
    assert np.array_equal(faulty, np.minimum(healthy, np.float32(0.5)))


def test_shifted_padding_moves_the_picture_by_a_column() -> None:
    healthy, faulty = run_layers(MODEL)["conv4"], run_layers(plant_fault(MODEL, "conv4", "shifted_padding"))["conv4"]
    assert np.allclose(faulty[..., :-1], healthy[..., 1:], atol=1e-5)


def test_weights_that_two_layers_share_stay_as_they_are_for_the_other() -> None:
    nodes = [helper.make_node("Conv", ["x", "w"], ["a"], "one"), helper.make_node("Conv", ["x", "w"], ["b"], "two"),
             helper.make_node("Sub", ["b", "a"], ["c"], "three")]  # fmt: skip
    model = make_model(nodes, [1, 2, 3, 3], {"w": np.ones((2, 2, 1, 1), np.float32)})
    faulty, healthy = run_layers(plant_fault(model, "two", "wrong_scale")), run_layers(model)
    assert np.array_equal(faulty["a"], healthy["a"])
    assert np.allclose(faulty["b"], healthy["b"] * 1.5, rtol=1e-6)


def test_weights_that_an_inner_graph_reads_too_stay_as_they_are_for_it() -> None:
    branch = helper.make_graph(
        [helper.make_node("Identity", ["w"], ["inner"])], "branch", [], [helper.make_empty_tensor_value_info("inner")]
    )
    nodes = [helper.make_node("Conv", ["x", "w"], ["a"], "conv"),
             helper.make_node("If", ["yes"], ["b"], "if", then_branch=branch, else_branch=branch),
             helper.make_node("Add", ["a", "b"], ["c"], "add")]  # fmt: skip
    weights = {"w": np.ones((2, 2, 1, 1), np.float32), "yes": np.array(True)}
    model = make_model(nodes, [1, 2, 3, 3], weights)
    assert np.array_equal(run_layers(plant_fault(model, "conv", "wrong_scale"))["b"], weights["w"])


def test_weights_from_a_constant_node() -> None:
    value = numpy_helper.from_array(np.full((2, 2, 1, 1), 3, np.float32))
    nodes = [
        helper.make_node("Constant", [], ["w"], "w", value=value),
        helper.make_node("Conv", ["x", "w"], ["a"], "c"),
    ]
    model = make_model(nodes, [1, 2, 3, 3], {})
    faulty, healthy = run_layers(plant_fault(model, "c", "wrong_scale")), run_layers(model)
    assert np.array_equal(faulty["w"], healthy["w"])
    assert np.allclose(faulty["a"], healthy["a"] * 1.5, rtol=1e-6)


def test_a_layer_is_found_by_a_tensor_that_it_makes_too() -> None:
    model = make_model(
        [helper.make_node("Conv", ["x", "w"], ["y"])], [1, 2, 3, 3], {"w": np.ones((2, 2, 1, 1), np.float32)}
    )
    assert list_layers(model, "wrong_scale") == ["y"]
    assert list_kinds(model, "y") == ["wrong_scale", "one_channel", "channel_order"]
    assert plant_fault(model, "y", "wrong_scale") != model


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(MisplacedFault, match=r"bias_dropped cannot be planted in conv4 \(Conv\)") as caught:
        plant_fault(MODEL, "conv4", "bias_dropped")
    assert caught.value.hint == "possible there: wrong_scale, one_channel, channel_order, shifted_padding"
    with pytest.raises(MisplacedFault) as caught:
        plant_fault(MODEL, "prob", "clipped")
    assert caught.value.hint == "no fault is possible there, take another layer"
    with pytest.raises(UnknownLayer, match="the model has no layer 'conv9'") as unknown:
        plant_fault(MODEL, "conv9", "clipped")
    assert "conv" in (unknown.value.hint or "")
    with pytest.raises(UnknownPlugin, match="unknown fault: rust"):
        plant_fault(MODEL, "conv1", "rust")
    old = make_model([helper.make_node("Relu", ["x"], ["y"], "r")], [4, 9], {}, opset=10)
    assert list_kinds(old, "r") == []
    computed = [
        helper.make_node("ReduceMax", ["x"], ["m"], "m", keepdims=0),
        helper.make_node("Clip", ["x", "", "m"], ["y"], "c"),
    ]
    assert list_kinds(make_model(computed, [4, 9], {}), "c") == []
    narrow = make_model(
        [helper.make_node("Clip", ["x", "", "m"], ["y"], "c")], [4, 9], {"m": np.array(0.25, np.float32)}
    )
    assert list_kinds(narrow, "c") == []


@pytest.mark.parametrize("kind", FAULTS)
def test_a_kind_has_its_name_and_a_summary(kind: str) -> None:
    assert find_fault(kind).kind == kind
    assert find_fault(kind).summary
