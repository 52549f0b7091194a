"""What a conversion keeps: the numbers, the names, the outputs; and what it refuses."""

from __future__ import annotations

import configparser
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from ipudebug.errors import ConfigError, InputError, IpuDebugError, ModelError, UnsupportedOp
from ipudebug.sim.container import NoModel
from ipudebug.sim.convert import convert_model, name_output
from ipudebug.sim.soc_version import UnknownChip
from ipudebug.sim.stage import read_facts
from tests.sim.constraints.models import build_model, one
from tests.sim.convert_models import CHIP, compare_with_original, convert, list_ops, write_ini, write_model
from tests.sim.random_nets import RandomNet


@pytest.mark.parametrize("seed", range(50))
def test_a_random_net_keeps_its_numbers_and_names(seed: int, tmp_path: Path) -> None:
    net = RandomNet(seed)
    original = net.build(blocks=14)
    outputs = [info.name for info in original.graph.output]
    path, ini = write_model(original, tmp_path)
    done = convert_model(path, ini, CHIP)
    like = compare_with_original(path, done, tmp_path, seed)
    assert like.missing == ()
    assert like.worst >= 0.999999
    assert [info.name for info in done.model.graph.output] == outputs
    assert done.model.opset_import[0].version == net.opset
    readers = [name for node in done.model.graph.node for name in node.input] + outputs
    ops = {name: node.op_type for node in done.model.graph.node for name in node.output}
    for node in done.model.graph.node:
        assert node.op_type not in ("Constant", "Shape", "Gather")
        if node.op_type == "BatchNormalization":
            foldable = ops.get(node.input[0]) in ("Conv", "ConvTranspose", "Gemm")
            assert not foldable or readers.count(node.input[0]) > 1
        assert node.op_type not in ("Identity", "Cast", "Dropout") or node.output[0] in outputs
    assert done.nodes == len(done.model.graph.node)
    assert done.nodes_before == len(original.graph.node)


@pytest.mark.reference
@pytest.mark.parametrize(
    ("name", "norms"),
    [
        ("smallnet/smallnet", 2),
        ("models/version-RFB-320", 35),
        ("models/version-RFB-320_simplified", 0),
        ("models/mobilenet_v2_0.35_128_tfs_channel_first", 7),
    ],
)
def test_a_real_model_keeps_its_numbers(name: str, norms: int, reference: Path, tmp_path: Path) -> None:
    path = str(reference / f"{name}.onnx")
    graph = onnx.load(path).graph
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [info.name for info in graph.input if info.name not in constants]
    ini = write_ini(tmp_path / "net.ini", inputs, [info.name for info in graph.output])
    done = convert_model(path, ini, CHIP)
    like = compare_with_original(path, done, tmp_path)
    assert (done.batch_norms, like.missing, len(like.names)) == (norms, (), done.nodes)
    assert like.worst >= 0.999999


def test_the_demo_model_keeps_its_numbers(tmp_path: Path) -> None:
    import ipudebug.demo

    folder = Path(ipudebug.demo.__file__).parent
    done = convert_model(str(folder / "model.onnx"), str(folder / "input_config.ini"), CHIP)
    like = compare_with_original(str(folder / "model.onnx"), done, tmp_path)
    assert (like.missing, len(like.names)) == ((), done.nodes)
    assert like.worst >= 0.999999


def test_the_metadata_say_what_the_model_was_made_with(tmp_path: Path) -> None:
    path, ini = write_model(one("Relu"), tmp_path, "[CONV_CONFIG]\ninput_format = ALL_INT16;\n")
    model = onnx.load(path)
    model.metadata_props.add(key="author", value="me")
    onnx.save(model, path)
    done = convert_model(path, ini, "mochi")
    metadata = {entry.key: entry.value for entry in done.model.metadata_props}
    facts = read_facts(metadata, "net")
    assert facts is not None
    assert (facts.stage.value, facts.chip, facts.layout.value) == ("float", "mochi", "NCHW")
    assert facts.input_config == Path(ini).read_text()
    assert metadata["author"] == "me"


def test_skip_simplify_keeps_every_node(tmp_path: Path) -> None:
    original = RandomNet(3).build(blocks=10)
    path, _ = write_model(original, tmp_path)
    done = convert(original, tmp_path, simplify=False)
    assert list_ops(done.model) == list_ops(onnx.load(path))
    like = compare_with_original(path, done, tmp_path)
    assert like.worst == 1.0
    assert len(like.names) == len({name for node in done.model.graph.node for name in node.output})


def test_the_original_and_the_ini_are_only_read(tmp_path: Path) -> None:
    path, ini = write_model(RandomNet(1).build(blocks=8), tmp_path)
    before = Path(path).read_bytes(), Path(ini).read_bytes()
    convert_model(path, ini, CHIP)
    assert (Path(path).read_bytes(), Path(ini).read_bytes()) == before


def test_the_output_lies_beside_the_original() -> None:
    assert name_output("models/net.v2.onnx") == "models/net.v2_float.sim"
    assert name_output("net") == "net_float.sim"


def test_an_open_batch_becomes_one_with_a_note(tmp_path: Path) -> None:
    done = convert(one("Relu", ("N", 3, 8, 8)), tmp_path)
    assert done.notes == ("input x is Nx3x8x8: its batch is taken to be 1; --input_shapes sets another",)
    done = convert(one("Relu", ("N", 3, "h", "w")), tmp_path, input_shapes="2,3,4,5")
    assert done.notes == ()
    assert [dim.dim_value for dim in done.model.graph.output[0].type.tensor_type.shape.dim] == [2, 3, 4, 5]


def test_a_weight_that_is_listed_as_an_input_is_a_weight(tmp_path: Path) -> None:
    model = one("Add", more={"c": np.ones((1, 3, 8, 8), np.float32)})
    model.ir_version = 3
    model.graph.input.append(helper.make_tensor_value_info("c", TensorProto.FLOAT, [1, 3, 8, 8]))
    done = convert(model, tmp_path)
    assert [info.name for info in done.model.graph.input] == ["x"]
    assert done.model.ir_version >= 4


def fail(folder: Path, model: onnx.ModelProto | None = None, ini: str | None = None, **options: str) -> IpuDebugError:
    """Return the error that a conversion ends in."""
    path, own = write_model(model or one("Relu"), folder)
    chip = options.pop("chip", CHIP)
    with pytest.raises(IpuDebugError) as caught:
        convert_model(options.pop("path", path), ini or own, chip, **options)  # type: ignore[arg-type]
    return caught.value


def test_an_unknown_chip(tmp_path: Path) -> None:
    error = fail(tmp_path, chip="soufle")
    assert isinstance(error, UnknownChip)
    assert isinstance(error, ValueError)
    assert str(error) == "Not support soc_version: soufle"
    assert error.hint is not None
    assert error.hint.startswith("did you mean souffle? known: muffin,")


def test_a_missing_model(tmp_path: Path) -> None:
    error = fail(tmp_path, path="nowhere.onnx")
    assert isinstance(error, NoModel)
    assert isinstance(error, FileNotFoundError)
    assert str(error) == "Input graph file nowhere.onnx does not exist!"


def test_a_missing_ini(tmp_path: Path) -> None:
    error = fail(tmp_path, ini="nowhere.ini")
    assert isinstance(error, FileNotFoundError)
    assert str(error).startswith("input_config.ini file not found.")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b"just text\n", "text"),
        (b"\x89PNG\r\n\x1a\n1234", "a PNG image"),
        (b"\x08\x07\x12\x04", "a file of no known format"),
        (b"SGSI" + bytes(60), "an offline model of the vendor's"),
    ],
)
def test_a_file_that_is_no_model(content: bytes, found: str, tmp_path: Path) -> None:
    other = tmp_path / "other.onnx"
    other.write_bytes(content)
    error = fail(tmp_path, path=str(other))
    assert isinstance(error, ModelError)
    assert f"expected an ONNX model, found {found}" in str(error)
    assert f"Protobuf decoding consumed too few bytes: ? out of {len(content)}" in str(error)


def test_a_model_that_is_cut_off(tmp_path: Path) -> None:
    path, _ = write_model(RandomNet(0).build(blocks=4), tmp_path)
    whole = Path(path).read_bytes()
    for keep in (len(whole) // 4, len(whole) // 2, len(whole) - 1):
        cut = tmp_path / "cut.onnx"
        cut.write_bytes(whole[:keep])
        assert isinstance(fail(tmp_path, path=str(cut)), ModelError)


def test_a_float_model_is_not_converted_again(tmp_path: Path) -> None:
    done = convert(one("Relu"), tmp_path)
    onnx.save(done.model, tmp_path / "done.sim")
    error = fail(tmp_path, path=str(tmp_path / "done.sim"))
    assert "found a float model of ipudebug's" in str(error)
    assert error.hint == "it is converted already: give the original .onnx file"


@pytest.mark.parametrize("content", [b'name: "net"\nlayer {\n}\n', b"\x1c\0\0\0TFL3" + bytes(40)])
def test_caffe_and_tflite_are_refused(content: bytes, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(content)
    error = fail(tmp_path, path=str(other))
    assert isinstance(error, UnsupportedOp)
    assert "only ONNX models can be converted" in str(error)
    assert "consumed too few bytes" in str(fail(tmp_path, path=str(other), framework="onnx"))


def test_an_ini_without_a_section(tmp_path: Path) -> None:
    ini = tmp_path / "bad.ini"
    ini.write_text("inputs = x;\n")
    error = fail(tmp_path, ini=str(ini))
    assert isinstance(error, configparser.MissingSectionHeaderError)
    assert str(error).startswith("File contains no section headers.")


@pytest.mark.parametrize(
    ("inputs", "outputs", "kind", "message"),
    [
        (["images1"], ["y0"], RuntimeError, 'The model doesn\'t have input named "images1"'),
        (["x"], ["output1"], KeyError, "'output1' is no output of the model"),
    ],
)
def test_a_name_that_the_model_lacks(
    inputs: list[str], outputs: list[str], kind: type[Exception], message: str, tmp_path: Path
) -> None:
    error = fail(tmp_path, ini=write_ini(tmp_path / "other.ini", inputs, outputs))
    assert isinstance(error, kind)
    assert str(error).startswith(message)


def test_an_ini_that_lists_no_outputs_is_enough(tmp_path: Path) -> None:
    ini = tmp_path / "short.ini"
    ini.write_text("[INPUT_CONFIG]\ninputs = x;\n")
    path, _ = write_model(one("Relu"), tmp_path)
    assert list_ops(convert_model(path, str(ini), CHIP).model) == ["Relu"]


def test_formats_that_do_not_go_together(tmp_path: Path) -> None:
    ini = write_ini(tmp_path / "f.ini", ["x"], ["y0"])
    text = Path(ini).read_text()
    more = "training_input_formats = BGR;\ninput_formats = RGB;\n[OUTPUT_CONFIG]"
    Path(ini).write_text(text.replace("[OUTPUT_CONFIG]", more))
    error = fail(tmp_path, ini=ini)
    assert isinstance(error, ConfigError)
    assert str(error).startswith("`input_formats` is RGB only support `training_input_formats` is RGB!")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            one("TopK", more={"k": np.array([2])}, outputs=2, sorted=0),
            "Exception: ONNX TOPK SGS only supports the top-K",
        ),
        (
            one("Pad", more={"p": np.zeros(8, np.int64)}, mode="edge"),
            "ONNX Pad only supports constant and reflect mode",
        ),
        (one("Relu", opset=21), "Please export the ONNX with opset_version <= 20"),
        (one("Relu", (1, 3, "h", "w")), "DYNSHAPESYM sub lacks shape info, please check DYNAMIC_CONFIG in ini!"),
        (one("NonZero"), "sub 0, tensor [n] has dynamic shape that cannot be figured out!"),
        (one("Nonsense"), "Exception: not support ONNX op type Nonsense yet"),
    ],
)
def test_what_the_toolchain_refuses(model: onnx.ModelProto, message: str, tmp_path: Path) -> None:
    error = fail(tmp_path, model)
    assert isinstance(error, ModelError)
    assert str(error).startswith(message)
    assert error.hint


def test_a_model_that_contradicts_itself(tmp_path: Path) -> None:
    error = fail(tmp_path, one("Add", more={"w": np.ones((1, 3, 8, 5), np.float32)}))
    assert isinstance(error, ModelError)
    assert str(error).startswith("node n (Add) is invalid: ")


def test_a_model_that_computes_nothing(tmp_path: Path) -> None:
    assert str(fail(tmp_path, build_model([], {"x": (2,)}, ["x"]))).endswith("found no nodes")
    ini = tmp_path / "in.ini"
    ini.write_text("[INPUT_CONFIG]\ninputs = x;\n")
    node = helper.make_node("Relu", ["x"], ["y"])
    assert str(fail(tmp_path, build_model([node], {"x": (2,)}, []), str(ini))).endswith("found no outputs")


def test_the_other_offences_are_counted(tmp_path: Path) -> None:
    nodes = [helper.make_node("CumSum", [x, "axis"], [y], reverse=1) for x, y in (("x", "a"), ("a", "b"), ("b", "y"))]
    error = fail(tmp_path, build_model(nodes, {"x": (2, 3)}, ["y"], {"axis": np.array(1)}))
    assert str(error).startswith("Exception: ONNX CUMSUM reverse only supports 0:")
    assert error.hint is not None
    assert error.hint.endswith("; 2 more: ipudebug check lists them")


@pytest.mark.parametrize("shapes", ["1,3,8", "1,3,8,8:1", "1,3,9,8", "1,-3,8,8", "a", "", "0,3,8,8"])
def test_shapes_that_do_not_fit(shapes: str, tmp_path: Path) -> None:
    error = fail(tmp_path, one("Relu", ("N", 3, 8, 8)), input_shapes=shapes)
    assert isinstance(error, InputError)
    assert str(error).startswith("--input_shapes: ")


def test_weights_in_another_file(tmp_path: Path) -> None:
    original = RandomNet(2).build(blocks=10)
    path, ini = write_model(original, tmp_path)
    whole = convert_model(path, ini, CHIP).model
    onnx.save(original, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    model = convert_model(path, ini, CHIP).model
    for tensor in model.graph.initializer:
        tensor.ClearField("data_location")
    assert model == whole
    weights = tmp_path / "weights.bin"
    weights.write_bytes(weights.read_bytes()[:-5])
    with pytest.raises(ModelError, match=r"weights\.bin|found \d+$"):
        convert_model(path, ini, CHIP)
    weights.unlink()
    with pytest.raises(ModelError, match="is missing, which holds the weight"):
        convert_model(path, ini, CHIP)


def test_an_output_that_the_ini_leaves_out_is_noted(tmp_path: Path) -> None:
    path, _ = write_model(one("Split", (2, 3), outputs=2, num_outputs=2, axis=0), tmp_path)
    ini = write_ini(tmp_path / "part.ini", ["x"], ["y0"])
    notes = convert_model(path, ini, CHIP).notes
    assert notes == (f"{ini}, line 4, [OUTPUT_CONFIG] outputs: output y1 of the model is not listed",)
