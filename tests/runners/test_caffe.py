from pathlib import Path

import numpy as np
import pytest

from ipudebug.errors import InputError, ModelError, NodeFailed, UnsupportedOp
from ipudebug.runners import RUNNERS, ModelFiles
from ipudebug.runners.caffe import CaffeRunner
from ipudebug.tensor import Layout
from tests.runners.caffe_files import write_caffe

cv2 = pytest.importorskip("cv2", reason="needs the extra caffe: pip install 'ipudebug[caffe]'")

INPUT = 'input: "data" input_shape { dim: 1 dim: 3 dim: 6 dim: 5 }\n'
RNG = np.random.default_rng(5)
DATA = {"data": RNG.normal(size=(1, 3, 6, 5)).astype(np.float32)}

IN_PLACE = (
    INPUT
    + """
layer { name: "c1" type: "Convolution" bottom: "data" top: "conv"
        convolution_param { num_output: 4 kernel_size: 1 bias_term: false } }
layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "conv" batch_norm_param { eps: 0.001 } }
layer { name: "sc" type: "Scale" bottom: "conv" top: "conv" scale_param { bias_term: true } }
layer { name: "re" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "fc" inner_product_param { num_output: 2 } }
layer { name: "sm" type: "Sigmoid" bottom: "fc" top: "fc" }
"""
)
KERNEL = RNG.normal(size=(4, 3, 1, 1)).astype(np.float32)
MEAN, VARIANCE = RNG.normal(size=4).astype(np.float32), RNG.uniform(1, 2, 4).astype(np.float32)
GAIN, SHIFT = RNG.normal(size=4).astype(np.float32), RNG.normal(size=4).astype(np.float32)
MATRIX, BIAS = RNG.normal(size=(2, 120)).astype(np.float32), RNG.normal(size=2).astype(np.float32)
WEIGHTS = {
    "c1": [KERNEL],
    "bn": [MEAN * 2, VARIANCE * 2, np.array([2.0])],
    "sc": [GAIN, SHIFT],
    "ip": [MATRIX, BIAS],
}


def expected_in_place() -> dict[str, np.ndarray]:
    """Every value of the network IN_PLACE, NHWC, in float64."""
    x = DATA["data"].astype(np.float64).transpose(0, 2, 3, 1)
    values = {"conv": x @ KERNEL[:, :, 0, 0].T.astype(np.float64)}
    values["conv_xx"] = (values["conv"] - MEAN) / np.sqrt(VARIANCE + 0.001)
    values["conv_xx_xx"] = values["conv_xx"] * GAIN + SHIFT
    values["conv_xx_xx_xx"] = np.maximum(values["conv_xx_xx"], 0)
    flat = values["conv_xx_xx_xx"].transpose(0, 3, 1, 2).reshape(1, -1)
    values["fc"] = flat @ MATRIX.T.astype(np.float64) + BIAS
    values["fc_xx"] = 1 / (1 + np.exp(-values["fc"]))
    return values


def plain_run(files: ModelFiles, outputs: list[str]) -> list[np.ndarray]:
    """What OpenCV makes of the original files, without ipudebug."""
    net = cv2.dnn.readNetFromCaffe(files.model, files.weights)
    net.setInput(DATA["data"])
    return list(net.forward(outputs))


def test_every_layer_shows_its_own_value(tmp_path: Path) -> None:
    runner = CaffeRunner(write_caffe(tmp_path, IN_PLACE, WEIGHTS))
    expected = expected_in_place()
    traced = list(runner.trace(DATA))
    assert [tensor.info.name for tensor in traced] == list(expected)
    assert [tensor.info.op_type for tensor in traced] == ["c1", "bn", "sc", "re", "ip", "sm"]
    assert [(tensor.info.op_index, tensor.info.port) for tensor in traced] == [(index, 0) for index in range(6)]
    for tensor in traced:
        assert tensor.array.shape == tensor.info.shape
        assert tensor.info.layout is (Layout.NHWC if tensor.array.ndim == 4 else None)
        np.testing.assert_allclose(tensor.array, expected[tensor.info.name], rtol=1e-5, atol=1e-5)


def test_run_gives_the_bits_of_a_plain_run(tmp_path: Path) -> None:
    files = write_caffe(tmp_path, IN_PLACE, WEIGHTS)
    runner = CaffeRunner(files)
    assert runner.outputs == ("fc_xx",)
    (output,) = runner.run(DATA)
    assert output.info.name == "fc_xx"
    assert output.array.tobytes() == plain_run(files, ["sm"])[0].tobytes()


def test_files_of_older_caffe_give_the_same(tmp_path: Path) -> None:
    old = IN_PLACE.replace("layer {", "layers {")
    for kind, name in [("Convolution", "CONVOLUTION"), ("ReLU", "RELU"), ("InnerProduct", "INNER_PRODUCT")]:
        old = old.replace(f'"{kind}"', name)
    # BatchNorm and Scale came with the newer format; without them both formats say the same.
    lines = [line for line in old.splitlines() if '"bn"' not in line and '"sc"' not in line]
    old = "\n".join(lines).replace('"Sigmoid"', "SIGMOID")
    new = "\n".join(line for line in IN_PLACE.splitlines() if '"bn"' not in line and '"sc"' not in line)
    weights = {"c1": [KERNEL], "ip": [MATRIX, BIAS]}
    for folder in ("old", "new"):
        (tmp_path / folder).mkdir()
    older = CaffeRunner(write_caffe(tmp_path / "old", old, weights, legacy=True))
    newer = CaffeRunner(write_caffe(tmp_path / "new", new, weights))
    for one, other in zip(older.trace(DATA), newer.trace(DATA), strict=True):
        assert one.info == other.info
        assert one.array.tobytes() == other.array.tobytes()
    assert older.run(DATA)[0].array.tobytes() == newer.run(DATA)[0].array.tobytes()


def test_layers_with_several_inputs_and_outputs(tmp_path: Path) -> None:
    text = INPUT + (
        'layer { name: "cut" type: "Slice" bottom: "data" top: "a.1" top: "b" slice_param { axis: 1 slice_point: 1 } }'
        'layer { name: "sum" type: "Eltwise" bottom: "b" bottom: "b" top: "twice" }'
    )
    runner = CaffeRunner(write_caffe(tmp_path, text, {"none": [np.zeros(1)]}))
    traced = {tensor.info.name: tensor.array for tensor in runner.trace(DATA)}
    data = DATA["data"].transpose(0, 2, 3, 1)
    assert list(traced) == ["a.1", "b", "twice"]
    np.testing.assert_array_equal(traced["a.1"], data[..., :1])
    np.testing.assert_array_equal(traced["b"], data[..., 1:])
    np.testing.assert_array_equal(traced["twice"], data[..., 1:] * 2)
    assert runner.outputs == ("a.1", "twice")
    np.testing.assert_array_equal(runner.run(DATA)[0].array, DATA["data"][:, :1])


@pytest.mark.parametrize("shape", [(2, 7), (1, 5, 2), (1, 600, 4), (1, 2, 3, 4, 5)])
def test_shapes_of_any_rank_pass_unchanged(tmp_path: Path, shape: tuple[int, ...]) -> None:
    text = f'input: "x" input_shape {{ dim: {list(shape)} }}\n'
    text += (
        'layer { name: "r" type: "ReLU" bottom: "x" top: "y" } layer { name: "s" type: "ReLU" bottom: "y" top: "z" }'
    )
    runner = CaffeRunner(write_caffe(tmp_path, text, {"none": [np.zeros(1)]}))
    x = RNG.normal(size=shape).astype(np.float32)
    for tensor in [*runner.trace({"x": x}), *runner.run({"x": x})]:
        assert tensor.info.layout is None
        np.testing.assert_array_equal(tensor.array, np.maximum(x, 0))


def test_training_layers_are_left_out(tmp_path: Path) -> None:
    text = INPUT + 'layer { name: "l" type: "Nonsense" bottom: "data" top: "l" include { phase: TRAIN } }'
    text += 'layer { name: "r" type: "ReLU" bottom: "data" top: "r" }'
    runner = CaffeRunner(write_caffe(tmp_path, text, {"none": [np.zeros(1)]}))
    assert [tensor.info.name for tensor in runner.run(DATA)] == ["r"]


def test_tensors_come_before_a_later_layer_fails(tmp_path: Path) -> None:
    text = INPUT + 'layer { name: "r" type: "ReLU" bottom: "data" top: "r" }'
    text += 'layer { name: "odd" type: "Nonsense" bottom: "r" top: "o" }'
    runner = CaffeRunner(write_caffe(tmp_path, text, {"none": [np.zeros(1)]}))
    trace = runner.trace(DATA)
    assert next(trace).info.name == "r"
    with pytest.raises(UnsupportedOp, match=r"layer odd \(Nonsense\): OpenCV .* does not know layers of this type"):
        next(trace)
    with pytest.raises(UnsupportedOp, match=r"layer odd \(Nonsense\)"):
        runner.run(DATA)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (
            {**WEIGHTS, "sc": []},
            "do not belong together: 1 of 4 layers with weights are not in the .caffemodel, such as sc",
        ),
        ({"other": [KERNEL]}, "4 of 4 layers with weights are not in the .caffemodel, such as c1 (Convolution)"),
        ({**WEIGHTS, "c1": [KERNEL[:3]]}, "layer c1 (Convolution) has num_output 4, its weights [3, 3, 1, 1] have 3"),
        (
            {**WEIGHTS, "ip": [MATRIX[:1], BIAS]},
            "layer ip (InnerProduct) has num_output 2, its weights [1, 120] have 1",
        ),
    ],
)
def test_network_and_weights_of_different_models(
    tmp_path: Path, weights: dict[str, list[np.ndarray]], message: str
) -> None:
    with pytest.raises(ModelError) as error:
        CaffeRunner(write_caffe(tmp_path, IN_PLACE, weights))
    assert message in error.value.message


def test_weights_that_do_not_fit_the_input_name_the_layer(tmp_path: Path) -> None:
    runner = CaffeRunner(write_caffe(tmp_path, IN_PLACE, {**WEIGHTS, "ip": [MATRIX[:, :100], BIAS]}))
    for run in (runner.run, lambda feed: list(runner.trace(feed))):
        with pytest.raises(NodeFailed, match=r"layer ip \(InnerProduct\), fed with conv_xx_xx_xx \[1, 4, 6, 5\]: "):
            run(DATA)


def test_weights_are_asked_for(tmp_path: Path) -> None:
    files = write_caffe(tmp_path, IN_PLACE, WEIGHTS)
    with pytest.raises(ModelError, match="4 layers need weights, such as c1"):
        CaffeRunner(ModelFiles(files.model))


def test_a_feed_of_another_size_is_refused(tmp_path: Path) -> None:
    runner = CaffeRunner(write_caffe(tmp_path, IN_PLACE, WEIGHTS))
    wrong = {"data": np.zeros((1, 6, 5, 3), np.float32)}
    for run in (runner.run, lambda feed: list(runner.trace(feed))):
        with pytest.raises(InputError, match=r"input data: expected shape \[1, 3, 6, 5\], found \[1, 6, 5, 3\]"):
            run(wrong)


def test_the_runner_is_found_by_name() -> None:
    assert RUNNERS["caffe"] is CaffeRunner


def face(reference: Path, width: int, height: int) -> dict[str, np.ndarray]:
    """The face detector's input as models/results.json describes it."""
    image = cv2.resize(cv2.imread(str(reference / "models" / "test.jpg")), (width, height))[:, :, ::-1]
    return {"input": ((image.astype(np.float32) - 127) / 128).transpose(2, 0, 1)[None].copy()}


@pytest.mark.reference
@pytest.mark.parametrize(("name", "width", "height"), [("RFB-320", 640, 384), ("RFB-320_240x320", 320, 240)])
def test_the_face_detector_gives_the_bits_of_opencv(reference: Path, name: str, width: int, height: int) -> None:
    models = reference / "models"
    files = ModelFiles(str(models / f"{name}.prototxt"), str(models / "RFB-320.caffemodel"))
    runner, feed = CaffeRunner(files), face(reference, width, height)
    net = cv2.dnn.readNetFromCaffe(files.model, files.weights)
    net.setInput(feed["input"])
    plain = dict(zip(runner.outputs, net.forward(list(runner.outputs)), strict=True))
    assert {tensor.info.name: tensor.array.tobytes() for tensor in runner.run(feed)} == {
        name: array.tobytes() for name, array in plain.items()
    }
    net = cv2.dnn.readNetFromCaffe(files.model, files.weights)  # fusion cannot be undone in a net that has run
    net.enableFusion(False)
    net.setInput(feed["input"])
    layers = net.getLayerNames()
    whole = dict(zip(layers, net.forward(list(layers)), strict=True))
    traced = {tensor.info.name: tensor for tensor in runner.trace(feed)}
    assert set(traced) == set(whole)
    for name, array in whole.items():
        nhwc = array.transpose(0, 2, 3, 1) if array.ndim == 4 else array
        assert traced[name].array.tobytes() == nhwc.tobytes(), name
    assert all(traced[name].array.tobytes() == array.tobytes() for name, array in plain.items())


@pytest.mark.reference
def test_the_face_detector_as_caffe_and_as_onnx(reference: Path) -> None:
    import onnx
    import onnxruntime

    models = reference / "models"
    runner = CaffeRunner(ModelFiles(str(models / "RFB-320_240x320.prototxt"), str(models / "RFB-320.caffemodel")))
    feed = face(reference, 320, 240)
    path = str(models / "version-RFB-320_simplified.onnx")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    expected = dict(zip(("scores", "boxes"), session.run(["scores", "boxes"], feed), strict=True))
    for tensor in runner.run(feed):
        a, b = tensor.array.ravel().astype(np.float64), expected[tensor.info.name].ravel().astype(np.float64)
        assert a @ b / np.sqrt((a @ a) * (b @ b)) >= 0.99999
    made = {name for node in onnx.load(path).graph.node for name in node.output}
    traced = {tensor.info.name for tensor in runner.trace(feed)}
    assert traced == made
