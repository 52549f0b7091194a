"""The packaged example: model, images, preprocess file and ini fit each other."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image

from ipudebug import demo
from ipudebug.config.input_config import load_input_config
from ipudebug.demo.preprocess import MEAN, SIZE, STD, image_preprocess
from ipudebug.tensor import Layout

FOLDER = Path(demo.__file__).parent
IMAGES = sorted((FOLDER / "images").iterdir())


@pytest.fixture(scope="module")
def model() -> onnx.ModelProto:
    return onnx.load(FOLDER / "model.onnx")


@pytest.fixture(scope="module")
def session() -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(FOLDER / "model.onnx", providers=["CPUExecutionProvider"])


def test_the_model_is_valid_and_small_and_old_enough_for_onnxruntime_1_17(model: onnx.ModelProto) -> None:
    onnx.checker.check_model(model, full_check=True)
    assert (FOLDER / "model.onnx").stat().st_size < 400_000
    assert model.ir_version <= 9
    assert 13 <= model.opset_import[0].version <= 20


def test_every_tensor_is_named_after_its_node_and_has_a_static_shape(model: onnx.ModelProto) -> None:
    shaped = {value.name: value.type.tensor_type.shape.dim for value in (*model.graph.value_info, *model.graph.output)}
    for node in model.graph.node:
        assert list(node.output) == [node.name]
        assert all(dim.dim_value > 0 for dim in shaped[node.name])


def test_it_has_one_of_each_kind_of_layer(model: onnx.ModelProto) -> None:
    types = {node.op_type for node in model.graph.node}
    assert types == {
        "Add", "BatchNormalization", "Clip", "Concat", "Conv", "Flatten", "Gemm", "GlobalAveragePool", "MaxPool",
        "Relu", "Softmax",
    }  # fmt: skip
    weights = {weight.name: tuple(weight.dims) for weight in model.graph.initializer}
    convs = [node for node in model.graph.node if node.op_type == "Conv"]
    groups = {onnx.helper.get_node_attr_value(node, "group") for node in convs}
    assert groups == {1, 16, 32}
    assert weights["conv2_dw.weight"] == (16, 1, 3, 3)


@pytest.mark.parametrize("path", IMAGES, ids=lambda path: path.stem)
def test_the_model_reads_the_digit_that_the_file_is_named_after(
    path: Path, session: onnxruntime.InferenceSession
) -> None:
    named = re.fullmatch(r"digit_(\d)_[a-z]\.png", path.name)
    assert named
    assert path.stat().st_size < 8_000
    (prob,) = session.run(None, {"image": image_preprocess(str(path)).transpose(0, 3, 1, 2)})
    assert prob.argmax() == int(named[1])


def test_every_digit_has_an_image() -> None:
    assert len(IMAGES) == 12
    assert {path.stem[6] for path in IMAGES} == set("0123456789")


def test_channel_order_matters(session: onnxruntime.InferenceSession) -> None:
    right = 0
    for path in IMAGES:
        swapped = np.ascontiguousarray(image_preprocess(str(path)).transpose(0, 3, 1, 2)[:, ::-1])
        right += session.run(None, {"image": swapped})[0].argmax() == int(path.stem[6])
    assert right <= len(IMAGES) / 2


def test_preprocess_returns_pixels_or_the_same_pixels_normalised() -> None:
    path = str(IMAGES[0])
    pixels, normalised = image_preprocess(path, norm=False), image_preprocess(path)
    assert (pixels.dtype, pixels.shape) == (np.uint8, (1, 32, 32, 3))
    assert (normalised.dtype, normalised.shape) == (np.float32, (1, 32, 32, 3))
    with Image.open(path) as image:
        red, green, blue = image.resize(SIZE, Image.Resampling.BILINEAR).getpixel((5, 9))
    assert pixels[0, 9, 5].tolist() == [red, green, blue]
    expected = [(red - MEAN[0]) / STD, (green - MEAN[1]) / STD, (blue - MEAN[2]) / STD]
    assert normalised[0, 9, 5] == pytest.approx(expected, rel=1e-6)


def test_the_ini_says_what_the_preprocess_file_does_and_names_what_the_model_has(model: onnx.ModelProto) -> None:
    config = load_input_config(str(FOLDER / "input_config.ini"))
    assert list(config.notes) == []
    assert config.mean == (tuple(MEAN.tolist()),)
    assert set(config.std_value[0]) == {float(STD)}
    assert config.input_layouts == (Layout.NHWC,)
    assert config.training_input_formats == config.input_formats == ("RGB",)
    assert list(config.inputs) == [value.name for value in model.graph.input]
    assert list(config.outputs) == [value.name for value in model.graph.output]
