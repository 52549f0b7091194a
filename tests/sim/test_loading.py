"""Our own files read back: the operations, tensors and inputs that a simulation needs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ipudebug.errors import ModelError
from ipudebug.sim.loading import load_sim
from ipudebug.sim.model import Stage
from ipudebug.sim.read import build_sim
from ipudebug.sim.saving import save_sim
from ipudebug.tensor import Layout, QuantParams
from tests.sim.convert_models import CHIP, convert

FORMATS = """[INPUT_CONFIG]
inputs = x;
training_input_formats = {training};
input_formats = {board};
mean = 1:2:3;
std_value = 4;
{more}
[OUTPUT_CONFIG]
outputs = y;
"""


def conv_net() -> onnx.ModelProto:
    return onnx.parser.parse_model("""
        <ir_version: 8, opset_import: ["" : 17]>
        net (float[1,3,4,6] x) => (float[1,2,4,6] y)
        <float[2,3,1,1] w = {1,2,3,4,5,6}> { c = Conv(x, w) y = Relu(c) }
    """)


def with_facts(model: onnx.ModelProto, ini: str, stage: str = "float") -> onnx.ModelProto:
    facts = {"stage": stage, "version": "1", "chip": CHIP, "input_config": ini, "layout": "NCHW"}
    helper.set_model_props(model, {f"ipudebug.{key}": value for key, value in facts.items()})
    return model


def typed(model: onnx.ModelProto) -> onnx.ModelProto:
    return onnx.shape_inference.infer_shapes(model)


def test_a_float_file_becomes_a_model(tmp_path: Path) -> None:
    path = str(tmp_path / "net_float.sim")
    save_sim(convert(conv_net(), tmp_path).model, path)
    model = load_sim(path)
    assert (model.stage, model.kind, model.chip, model.path) == (Stage.FLOAT, "ipudebug", CHIP, path)
    shown = [(one.index, one.in_type, one.out_type, one.inputs, one.outputs) for one in model.operations]
    assert shown == [(0, "CONV_2D", "CONV_2D", ("x", "w"), ("c",)), (1, "RELU", "RELU", ("c",), ("y",))]
    assert (model.tensors["c"].shape, model.tensors["c"].layout) == ((1, 4, 6, 2), Layout.NHWC)
    assert (model.tensors["w"].shape, model.tensors["w"].constant) == ((2, 3, 1, 1), True)
    assert model.constants["w"].reshape(-1).tolist() == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("board", "more", "alignments"),
    [
        ("RGB", "", (1, 1)),
        ("YUV_NV12", "", (2, 2)),
        ("RGBA", "input_width_alignment = 64;\ninput_height_alignment = 4;", (64, 4)),
        ("RGBA", "xrgb_h_pitch_alignment = 32;", (32, 1)),
        ("YUV_NV12", "yuv420_h_pitch_alignment = 32;\nyuv420_v_pitch_alignment = 8;", (32, 8)),
    ],
)
def test_inputs_are_those_of_the_ini(board: str, more: str, alignments: tuple[int, int]) -> None:
    ini = FORMATS.format(training="RGB", board=board, more=more)
    (found,) = build_sim(typed(with_facts(conv_net(), ini)), "net.sim").inputs
    assert (found.name, found.training_format, found.input_format) == ("x", "RGB", board)
    assert (found.mean, found.std) == ((1.0, 2.0, 3.0), (4.0, 4.0, 4.0))
    assert (found.width_alignment, found.height_alignment) == alignments


def test_without_formats_an_input_takes_what_the_model_takes() -> None:
    (found,) = build_sim(typed(with_facts(conv_net(), "")), "net.sim").inputs
    assert (found.training_format, found.input_format) == ("", "")


def integer_net() -> onnx.ModelProto:
    """Return two operators fused as domain 4, a Sin between integers, and a copy: what lower makes, by hand."""
    relu = {"zeros": [0], "multipliers": [16384], "shifts": [14], "y_zero": 0, "dtype": "uint8", "low": 0, "high": 255}
    nodes = [
        helper.make_node("RELU", ["x"], ["inner"], domain="ipudebug", domain_index=4, hidden=1, **relu),
        helper.make_node("RELU", ["inner"], ["a"], domain="ipudebug", domain_index=4, **relu),
        helper.make_node("DequantizeLinear", ["a", "s", "z"], ["real"]),
        helper.make_node("Sin", ["real"], ["sine"]),
        helper.make_node("QuantizeLinear", ["sine", "s", "z"], ["b"]),
        helper.make_node("RESHAPE", ["b"], ["y"], domain="ipudebug", domain_index=6, shape=[1, 8]),
    ]
    shapes = {"x": [1, 2, 2, 2], "inner": [1, 2, 2, 2], "a": [1, 2, 2, 2], "b": [1, 2, 2, 2], "y": [1, 8]}
    infos = {name: helper.make_tensor_value_info(name, TensorProto.UINT8, shape) for name, shape in shapes.items()}
    values = [numpy_helper.from_array(np.float32(0.5), "s"), numpy_helper.from_array(np.uint8(3), "z")]
    graph = helper.make_graph(nodes, "g", [infos["x"]], [infos["y"]], values, value_info=list(infos.values())[1:4])
    for name in shapes:
        annotation = graph.quantization_annotation.add(tensor_name=name)
        for key, value in (("SCALE_TENSOR", "s"), ("ZERO_POINT_TENSOR", "z")):
            annotation.quant_parameter_tensor_names.add(key=key, value=value)
    versions = [helper.make_opsetid("", 17), helper.make_opsetid("ipudebug", 1)]
    return with_facts(helper.make_model(graph, opset_imports=versions, ir_version=8), "", "fixed")


def test_a_fused_domain_is_one_operation_and_so_is_what_has_no_kernel() -> None:
    model = build_sim(integer_net(), "net.sim")
    shown = [(one.index, one.in_type, one.out_type, one.inputs, one.outputs) for one in model.operations]
    assert shown == [
        (4, "RELU", "RELU", ("x",), ("a",)),
        (5, "SIN", "SIN", ("a",), ("b",)),
        (6, "RESHAPE", "RESHAPE", ("b",), ("y",)),
    ]
    assert model.tensors["a"].quant == QuantParams((0.5,), (3,))
    assert "inner" not in model.tensors


def test_what_is_no_simulated_model_is_refused() -> None:
    with pytest.raises(ModelError, match=r"net\.onnx: expected a simulated model, found an original one"):
        build_sim(conv_net(), "net.onnx")
    model = with_facts(conv_net(), "")
    model.graph.value_info.add(name="c").type.tensor_type.elem_type = TensorProto.FLOAT
    with pytest.raises(ModelError, match=r"net\.sim: tensor c: expected a fixed shape, the model states none"):
        build_sim(model, "net.sim")


@pytest.mark.reference
@pytest.mark.parametrize(
    ("name", "stage", "operations"),
    [("smallnet/float.sim", Stage.FLOAT, 22), ("smallnet/fixed.sim", Stage.FIXED, 12)],
)
def test_the_vendor_s_files_are_loaded_too(reference: Path, name: str, stage: Stage, operations: int) -> None:
    model = load_sim(str(reference / name))
    assert (model.kind, model.stage, len(model.operations)) == ("vendor", stage, operations)
