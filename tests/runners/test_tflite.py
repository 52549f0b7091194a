from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ipudebug.errors import InputError, ModelError, UnsupportedOp
from ipudebug.runners import RUNNERS, ModelFiles
from ipudebug.runners import tflite as module
from ipudebug.runners.tflite import TfliteRunner, dequantise
from ipudebug.tensor import Layout, QuantParams

pytest.importorskip("ai_edge_litert", reason="needs the extra tflite: pip install 'ipudebug[tflite]'")
from ai_edge_litert.interpreter import Interpreter

from tests.runners.tflite_files import Op, Tensor, write_tflite

ADD, MUL, RELU = 0, 18, 19
RNG = np.random.default_rng(3)
SHAPE = (1, 3, 2, 4)
X = RNG.normal(size=SHAPE).astype(np.float32)
OFFSET = RNG.normal(size=4).astype(np.float32)


def float_model(folder: Path) -> ModelFiles:
    """relu((x + offset) * x), and the sum as a second output."""
    tensors = [
        Tensor("x", SHAPE),
        Tensor("offset", (4,), data=OFFSET),
        Tensor("sum;with/odd name", SHAPE),
        Tensor("product", SHAPE),
        Tensor("out", SHAPE),
    ]
    ops = [Op(ADD, [0, 1], [2], 11), Op(MUL, [2, 0], [3], 21), Op(RELU, [3], [4])]
    return write_tflite(folder / "float.tflite", tensors, ops, [0], [4, 2])


def quantised_model(folder: Path) -> ModelFiles:
    """relu(x) of int8."""
    tensors = [
        Tensor("x", (1, 6), "int8", (0.5,), (-3,)),
        Tensor("y", (1, 6), "int8", (0.5,), (-3,)),
        Tensor("z", (1, 6), "int8", (0.25,), (-128,)),
    ]
    return write_tflite(folder / "int8.tflite", tensors, [Op(RELU, [0], [1]), Op(RELU, [1], [2])], [0], [2])


def test_every_operator_shows_its_value(tmp_path: Path) -> None:
    runner = TfliteRunner(float_model(tmp_path))
    traced = list(runner.trace({"x": X}))
    total = X + OFFSET
    expected = {"sum;with/odd name": total, "product": total * X, "out": np.maximum(total * X, 0)}
    assert [tensor.info.name for tensor in traced] == list(expected)
    assert [tensor.info.op_type for tensor in traced] == ["ADD", "MUL", "RELU"]
    assert [(tensor.info.op_index, tensor.info.port) for tensor in traced] == [(0, 0), (1, 0), (2, 0)]
    for tensor in traced:
        assert tensor.info.layout is Layout.NHWC
        np.testing.assert_allclose(tensor.array, expected[tensor.info.name], rtol=1e-6, atol=1e-6)
    assert runner.notes == ()


def test_run_gives_the_bits_of_a_plain_run(tmp_path: Path) -> None:
    files = float_model(tmp_path)
    runner = TfliteRunner(files)
    plain = plain_run(files, X)
    assert runner.outputs == ("out", "sum;with/odd name")
    assert [tensor.array.tobytes() for tensor in runner.run({"x": X})] == [array.tobytes() for array in plain]


def plain_run(files: ModelFiles, *arrays: np.ndarray) -> list[np.ndarray]:
    """What LiteRT makes of a model, without ipudebug."""
    interpreter = Interpreter(files.model)
    for detail, array in zip(interpreter.get_input_details(), arrays, strict=True):
        interpreter.resize_tensor_input(detail["index"], array.shape)
    interpreter.allocate_tensors()
    for detail, array in zip(interpreter.get_input_details(), arrays, strict=True):
        interpreter.set_tensor(detail["index"], array)
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


def test_quantised_tensors_come_as_real_values_or_raw(tmp_path: Path) -> None:
    files = quantised_model(tmp_path)
    stored = np.array([[-128, -20, -3, -2, 40, 127]], np.int8)
    real = np.maximum((stored.astype(np.float64) + 3) * 0.5, 0)
    (info,) = TfliteRunner(files).inputs
    assert (info.dtype, info.quant) == (np.dtype(np.int8), QuantParams((0.5,), (-3,)))
    y, z = TfliteRunner(files).trace({"x": stored})
    assert (y.info.dtype, y.info.quant) == (np.dtype(np.float32), QuantParams((0.5,), (-3,)))
    np.testing.assert_array_equal(y.array, real)
    np.testing.assert_array_equal(z.array, np.minimum(real, 255 * 0.25))
    y, z = TfliteRunner(files, raw=True).trace({"x": stored})
    assert (z.info.dtype, z.info.quant) == (np.dtype(np.int8), QuantParams((0.25,), (-128,)))
    np.testing.assert_array_equal(y.array, real * 2 - 3)


@pytest.mark.parametrize(
    ("dtype", "quant"),
    [
        (np.uint8, QuantParams((0.1,), (7,))),
        (np.int8, QuantParams((0.5, 0.25, 3.0), (0, -1, 2), axis=1)),
        (np.int32, QuantParams((1e-6,), (-5,))),
        (np.int16, QuantParams((2.0, 4.0), (0, 0), axis=0)),
    ],
)
def test_dequantising_is_exact(dtype: type, quant: QuantParams) -> None:
    info = np.iinfo(dtype)
    array = RNG.integers(info.min, info.max, (2, 3, 4), dtype, endpoint=True)
    result = dequantise(array, quant)
    assert result.dtype == np.float32
    for index in np.ndindex(array.shape):
        channel = 0 if quant.axis is None else index[quant.axis]
        difference = np.float32(int(array[index]) - quant.zero_point[channel])
        assert result[index] == difference * np.float32(quant.scale[channel])


def test_a_scalar_is_dequantised() -> None:
    assert dequantise(np.array(5, np.uint8), QuantParams((0.5,), (3,))).shape == ()


def test_shapes_are_resolved_when_it_runs(tmp_path: Path) -> None:
    tensors = [Tensor("x", (1, 3), signature=(-1, 3)), Tensor("y", (1, 3), signature=(-1, 3))]
    files = write_tflite(tmp_path / "dynamic.tflite", tensors, [Op(RELU, [0], [1])], [0], [1])
    runner = TfliteRunner(files)
    assert runner.inputs[0].shape == (-1, 3)
    x = RNG.normal(size=(5, 3)).astype(np.float32)
    for tensor in [*runner.run({"x": x}), *runner.trace({"x": x})]:
        assert tensor.info.shape == (5, 3)
        np.testing.assert_array_equal(tensor.array, np.maximum(x, 0))


def test_a_model_that_looking_disturbs_is_run_without_the_delegate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LiteRT 1.x: tensors are preserved only without the delegate, and then the outputs differ a little."""
    files = float_model(tmp_path)
    run = module.invoke

    class Shifted:
        def __init__(self, interpreter: Any) -> None:
            self.interpreter = interpreter

        def __getattr__(self, name: str) -> Any:
            return getattr(self.interpreter, name)

        def get_tensor(self, index: int) -> np.ndarray:
            return np.asarray(self.interpreter.get_tensor(index) + np.float32(0.25))

    loads: list[dict[str, Any]] = []

    def load(litert: Any, path: str, **options: Any) -> Any:
        loads.append(options)
        interpreter = original(litert, path, **options)
        return Shifted(interpreter) if options == {"experimental_preserve_all_tensors": True} else interpreter

    original = module.load_interpreter
    monkeypatch.setattr(module, "load_interpreter", load)
    monkeypatch.setattr(module, "invoke", run)
    runner = TfliteRunner(files)
    traced = list(runner.trace({"x": X}))
    assert "experimental_op_resolver_type" in loads[-1]
    assert [tensor.info.name for tensor in traced] == ["sum;with/odd name", "product", "out"]
    assert len(runner.notes) == 1
    assert "without" in runner.notes[0]
    assert "differ by up to 0.25" in runner.notes[0]


def test_select_tf_ops_are_named(tmp_path: Path) -> None:
    tensors = [Tensor("x", (1, 3)), Tensor("y", (1, 3))]
    files = write_tflite(tmp_path / "flex.tflite", tensors, [Op("FlexErfc", [0], [1])], [0], [1])
    with pytest.raises(UnsupportedOp, match="SELECT_TF_OPS"):
        TfliteRunner(files)


def test_custom_operators_are_named(tmp_path: Path) -> None:
    tensors = [Tensor("x", (1, 3)), Tensor("y", (1, 3))]
    files = write_tflite(tmp_path / "custom.tflite", tensors, [Op("MyOwnThing", [0], [1])], [0], [1])
    with pytest.raises(UnsupportedOp, match="MyOwnThing"):
        TfliteRunner(files)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no TFLite model"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "is no TFLite model: expected 'TFL3' at byte 4"),
        (b"\0\0\0\0SIM2", "is a simulated model"),
        (b"\x1c\0\0\0TFL3" + bytes(100), "LiteRT cannot load the model"),
    ],
)
def test_says_what_is_no_model(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    with pytest.raises(ModelError) as error:
        TfliteRunner(ModelFiles(str(path)))
    assert message in error.value.message


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_model_that_was_cut_off_is_refused(tmp_path: Path, share: float) -> None:
    files = float_model(tmp_path)
    path = Path(files.model)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelError, match="LiteRT cannot load the model"):
        TfliteRunner(files)


@pytest.mark.parametrize("name", ["image", "hidden", "result"])
def test_a_name_that_is_no_text_is_told(tmp_path: Path, name: str) -> None:
    """LiteRT's own list of tensors leaves such a tensor out; its other lists fail."""
    tensors = [Tensor(text, (1, 4)) for text in ("image", "hidden", "result")]
    files = write_tflite(tmp_path / "odd.tflite", tensors, [Op(RELU, [0], [1]), Op(RELU, [1], [2])], [0], [2])
    path = tmp_path / "odd.tflite"
    path.write_bytes(path.read_bytes().replace(name.encode(), b"\xff" * len(name)))
    with pytest.raises(ModelError, match=r"LiteRT cannot load the model: .*utf-8"):
        list(TfliteRunner(files).trace({"image": np.ones((1, 4), np.float32)}))


def test_a_feed_of_another_size_is_refused(tmp_path: Path) -> None:
    runner = TfliteRunner(float_model(tmp_path))
    with pytest.raises(InputError, match=r"input x: expected shape \[1, 3, 2, 4\], found \[1, 4, 3, 2\]"):
        runner.run({"x": X.transpose(0, 3, 1, 2)})
    with pytest.raises(InputError, match="nothing is fed to x"):
        next(runner.trace({}))


def test_the_runner_is_found_by_name() -> None:
    assert RUNNERS["tflite"] is TfliteRunner


@pytest.mark.reference
@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("version-RFB-320_without_postprocessing", 115),
        ("mobilenet_v1_0.25_224_1_default_1", 31),
        ("mobilenet_v1_0.25_224_quant", 31),
        ("pretrainedResnet", 16),
        ("pretrainedResnet_quant", 16),
    ],
)
def test_real_models_give_the_bits_of_litert(reference: Path, name: str, count: int) -> None:
    files = ModelFiles(str(reference / "models" / f"{name}.tflite"))
    runner = TfliteRunner(files, raw=True)
    (info,) = runner.inputs
    shape = tuple(abs(dim) for dim in info.shape)
    x = RNG.normal(size=shape) if info.dtype.kind == "f" else RNG.integers(0, 120, shape)
    feed = {info.name: x.astype(info.dtype)}
    plain = dict(zip(runner.outputs, plain_run(files, feed[info.name]), strict=True))
    outputs = {tensor.info.name: tensor.array for tensor in runner.run(feed)}
    traced = {tensor.info.name: tensor.array for tensor in runner.trace(feed)}
    assert len(traced) == count
    assert runner.notes == ()
    for name, array in plain.items():
        assert outputs[name].tobytes() == array.tobytes()
        assert traced[name].tobytes() == array.tobytes()
