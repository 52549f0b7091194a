"""Every fault of an input_config.ini at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from ipudebug.config.input_config import load_input_config
from ipudebug.errors import ConfigError
from ipudebug.sim.constraints import Finding, check_model, load_subject
from tests.sim.constraints.models import build_model, one


def check_ini(folder: Path, text: str, model: onnx.ModelProto | None = None) -> list[Finding]:
    onnx.save(model or one("Relu"), folder / "m.onnx")
    (folder / "c.ini").write_text(text)
    return check_model(load_subject(str(folder / "m.onnx"), str(folder / "c.ini")))


def add_two() -> onnx.ModelProto:
    return build_model([onnx.helper.make_node("Add", ["a", "b"], ["y"])], {"a": (1, 3), "b": (1, 3)}, ["y"])


def test_every_fault_is_reported(tmp_path: Path) -> None:
    text = """[INPUT_CONFIG]
inputs = a,b;
training_input_formats = RGB,RGB;
input_formats = BGR,GRAY;
quantizations = TRUE;
mean = 1:2,0:0:0;
std_value = 0,x;
input_layouts = NHWC,NCWH;
[OUTPUT_CONFIG]
outputs = y;
dequantizations = YES;
[CONV_CONFIG]
input_format = ALL_INT8;
tensor_arrays = nothing;
"""
    found = check_ini(tmp_path, text, add_two())
    messages = [finding.message for finding in found if finding.level == "error"]
    assert "`input_formats` is BGR only support `training_input_formats` is BGR!" in messages
    assert "`input_formats` is GRAY only support `training_input_formats` is GRAY!" in messages
    assert "input arrays number != input values number" in messages
    assert "input mean/std number != input number" in messages
    assert "dequantizations unsupported: YES, only support `TRUE` or `FALSE`" in messages
    assert any(message.startswith("CONV_CONFIG:input_format is invalid!!only support") for message in messages)
    assert any("division by zero" in message for message in messages)
    assert any("not a number" in message for message in messages)
    assert any("NCWH" in finding.found for finding in found)
    assert [finding.message for finding in found if finding.level == "warning"] == ["KeyError: 'nothing'"]


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("input_formats = RGBX", "format-unknown"),
        ("input_formats = YUV_NV12\ntraining_input_formats = RAWDATA_F32_NHWC", "format-pair"),
        ("input_formats = RGBA\ntraining_input_formats = GRAY", "format-pair"),
        ("quantizations = true", "quantization-value"),
        ("quantizations = TRUE,TRUE", "input-count"),
        ("mean = 1:2\ntraining_input_formats = RGB\ninput_formats = RGB", "mean-count"),
        ("mean = 1:2:3\ntraining_input_formats = GRAY\ninput_formats = GRAY", "mean-count"),
        ("mean = 1,2", "mean-count"),
        ("std_value = 1,2", "mean-count"),
        ("input_layouts = NHWC,NHWC", "layout-count"),
        ("input_width_alignment = 0", "ini-other"),
        ("input_layouts = NCHW\ninput_formats = RGBA\ntraining_input_formats = RGBA", "ini-other"),
    ],
)
def test_a_fault_of_one_key_and_it_alone(line: str, key: str, tmp_path: Path) -> None:
    found = check_ini(tmp_path, f"[INPUT_CONFIG]\ninputs = x\n{line}\n")
    assert [(finding.level, finding.entry.key) for finding in found] == [("error", key)]
    with pytest.raises(ConfigError) as caught:  # the reader of the ini, which stops at the first fault, agrees
        load_input_config(str(tmp_path / "c.ini"))
    assert caught.value.message.endswith(f"{found[0].place}: {found[0].found}")


def test_names_are_compared_with_the_model(tmp_path: Path) -> None:
    text = "[INPUT_CONFIG]\ninputs = b,a\n[OUTPUT_CONFIG]\noutputs = z\n"
    found = check_ini(tmp_path, text, add_two())
    assert [(finding.level, finding.entry.key, finding.found) for finding in found] == [
        ("error", "002", "z is no tensor of the model; expected y"),
        ("warning", "names-differ", "expected the model's order (a, b), found b, a"),
        ("warning", "names-differ", "output y of the model is not listed"),
    ]
    assert found[0].place == f"{tmp_path}/c.ini, line 4, [OUTPUT_CONFIG] outputs"


def test_a_list_shorter_than_the_models(tmp_path: Path) -> None:
    found = check_ini(tmp_path, "[INPUT_CONFIG]\ninputs = a\n", add_two())
    assert [finding.found for finding in found] == ["input b of the model is not listed"]


def test_a_tensor_inside_the_model_is_doubtful_as_an_output(tmp_path: Path) -> None:
    nodes = [onnx.helper.make_node("Relu", ["x"], ["t"]), onnx.helper.make_node("Relu", ["t"], ["y"])]
    model = build_model(nodes, {"x": (1,)}, ["y"])
    found = check_ini(tmp_path, "[OUTPUT_CONFIG]\noutputs = y,t\n", model)
    assert [(finding.level, finding.found) for finding in found] == [
        ("warning", "t is a tensor inside the model, not an output of it")
    ]


def test_only_tensors_that_feed_a_convolution_can_be_chosen(tmp_path: Path) -> None:
    found = check_ini(tmp_path, "[CONV_CONFIG]\ninput_format = ALL_INT16\ntensor_arrays = x\n")
    assert [(finding.level, finding.found) for finding in found] == [("warning", "x feeds no convolution")]


def test_what_feeds_a_product_by_a_constant_feeds_a_convolution(tmp_path: Path) -> None:
    nodes = [onnx.helper.make_node("Gemm", ["x", "w"], ["t"]), onnx.helper.make_node("MatMul", ["t", "x"], ["y"])]
    model = build_model(nodes, {"x": (3, 3)}, ["y"], {"w": np.ones((3, 3), np.float32)})
    found = check_ini(tmp_path, "[CONV_CONFIG]\ninput_format = ALL_INT16\ntensor_arrays = x,t\n", model)
    assert [finding.found for finding in found] == ["t feeds no convolution; expected x"]


def test_a_dynamic_config_turns_the_error_into_a_note(tmp_path: Path) -> None:
    found = check_ini(tmp_path, "[DYNAMIC_CONFIG]\nkey = 1\n", one("Relu", ("n", 3)))
    assert [(finding.level, finding.entry.key) for finding in found] == [("note", "051")]
    assert "not known" in found[0].found


def test_a_key_given_twice_is_a_finding(tmp_path: Path) -> None:
    found = check_ini(tmp_path, "[INPUT_CONFIG]\ninputs = x\ninputs = x\n")
    assert [(finding.level, finding.entry.key) for finding in found] == [("error", "ini-other")]
    assert "found another in line 2" in found[0].message


def test_an_ini_that_does_not_exist_is_trouble(tmp_path: Path) -> None:
    onnx.save(one("Relu"), tmp_path / "m.onnx")
    with pytest.raises(ConfigError, match=r"input_config.ini file not found"):
        load_subject(str(tmp_path / "m.onnx"), str(tmp_path / "none.ini"))


@pytest.mark.reference
def test_the_inis_of_real_conversions_pass(reference: Path) -> None:
    small = reference / "smallnet"
    assert check_model(load_subject(str(small / "smallnet.onnx"), str(small / "input_config.ini"))) == []
