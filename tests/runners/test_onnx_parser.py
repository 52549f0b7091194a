from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper

from ipudebug.runners.onnx_parser import LARGE, parse_model
from ipudebug.runners.protobuf import WireError
from tests.runners.onnx_files import FLOAT, node, save, save_random_net, value, weight


@pytest.mark.parametrize("seed", range(6))
def test_the_graph_is_the_one_that_the_onnx_package_reads(tmp_path: Path, seed: int) -> None:
    path = Path(save_random_net(tmp_path / "net.onnx", seed))
    data, model = path.read_bytes(), onnx.load(path)
    graph = parse_model(data)
    assert graph is not None
    for ours, theirs in zip(graph.nodes, model.graph.node, strict=True):
        assert (ours.name, ours.op_type, ours.domain) == (theirs.name, theirs.op_type, theirs.domain)
        assert (ours.inputs, ours.outputs) == (tuple(theirs.input), tuple(theirs.output))
        assert onnx.NodeProto.FromString(ours.proto) == theirs
    for theirs in model.graph.initializer:
        ours = graph.weights[theirs.name]
        assert (ours.element, ours.shape) == (theirs.data_type, tuple(theirs.dims))
        assert (ours.place is not None) == (len(theirs.raw_data) >= LARGE)
        if ours.place is not None:
            assert data[ours.place : ours.place + len(theirs.raw_data)] == theirs.raw_data
            theirs.ClearField("raw_data")
        assert onnx.TensorProto.FromString(ours.proto) == theirs
    assert [(v.name, v.element, v.shape) for v in graph.inputs] == [("x", FLOAT, (1, 4, 6, 5))]
    assert [v.name for v in graph.outputs] == [out.name for out in model.graph.output]
    header = onnx.ModelProto.FromString(graph.header)
    assert (header.ir_version, header.opset_import) == (model.ir_version, model.opset_import)


def test_bodies_tell_what_they_take_from_outside(tmp_path: Path) -> None:
    inner = onnx.helper.make_graph(
        [node("Add", ["state", "a"], ["s"]), node("Mul", ["s", "own"], ["out"])],
        "inner",
        [value("state", FLOAT, None)],
        [value("out", FLOAT, None), value("b", FLOAT, None)],
        [weight("own", 1)],
    )
    path = save(tmp_path / "m.onnx", [node("Loop", ["n", "", "x"], ["y", "z"], body=inner)], [], ["y"])
    graph = parse_model(Path(path).read_bytes())
    assert graph is not None
    assert graph.nodes[0].captured == ("a", "b")
    assert list(graph.nodes[0].reads) == ["n", "x", "a", "b"]


def test_older_ways_to_store_numbers_stay_as_they_are(tmp_path: Path) -> None:
    floats = onnx.helper.make_tensor("f", FLOAT, [2000], np.arange(2000, dtype=np.float32))
    texts = onnx.helper.make_tensor("s", onnx.TensorProto.STRING, [2], [b"a", b"b"])
    path = save(tmp_path / "m.onnx", [node("Relu", ["f"], ["y"])], [], ["y"], [floats, texts])
    graph = parse_model(Path(path).read_bytes())
    assert graph is not None
    assert graph.weights["f"].place is None
    np.testing.assert_array_equal(
        numpy_helper.to_array(onnx.TensorProto.FromString(graph.weights["f"].proto)), np.arange(2000)
    )


def test_a_weight_that_contradicts_itself(tmp_path: Path) -> None:
    wrong = weight("w", np.zeros(2000))
    wrong.dims[0] = 1999
    path = save(tmp_path / "m.onnx", [node("Relu", ["w"], ["y"])], [], ["y"], [wrong])
    with pytest.raises(WireError, match=r"'w' of shape \[1999\] and type float holds 8000 bytes instead of 7996"):
        parse_model(Path(path).read_bytes())


def test_external_data_whose_offset_is_no_number(tmp_path: Path) -> None:
    wrong = onnx.TensorProto(name="w", data_type=FLOAT, dims=[1], data_location=onnx.TensorProto.EXTERNAL)
    wrong.external_data.add(key="offset", value="1e3")
    path = save(tmp_path / "m.onnx", [node("Relu", ["w"], ["y"])], [], ["y"], [wrong])
    with pytest.raises(WireError, match="'w': offset or length of its external data is no number"):
        parse_model(Path(path).read_bytes())


def test_a_message_without_a_graph() -> None:
    assert parse_model(onnx.ModelProto(ir_version=8).SerializeToString()) is None


@settings(max_examples=200)
@given(st.data())
def test_whatever_happens_to_the_bytes_only_wire_errors_come_out(data: st.DataObject) -> None:
    ends = [value("x", FLOAT, [2])], [value("y", FLOAT, [2])]
    graph = onnx.helper.make_graph([node("Cast", ["x"], ["y"], "n", to=10)], "g", *ends, [weight("w", [1, 2])])
    content = bytearray(onnx.helper.make_model(graph).SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(WireError):
        parse_model(bytes(content))


def test_metadata_annotations_and_attributes(tmp_path: Path) -> None:
    relu = node("Relu", ["x"], ["y"], first=-7, second=1 << 40, text="7")
    model = onnx.load(save(tmp_path / "m.onnx", [relu], [value("x", FLOAT, [1])], ["y"]))
    onnx.helper.set_model_props(model, {"a": "1", "b": "ü"})
    for name in ("x", "y"):
        annotation = model.graph.quantization_annotation.add(tensor_name=name)
        annotation.quant_parameter_tensor_names.add(key="SCALE_TENSOR", value=f"{name}/s")
    graph = parse_model(model.SerializeToString())
    assert graph is not None
    assert graph.metadata == {"a": "1", "b": "ü"}
    assert graph.annotations == {"x": {"SCALE_TENSOR": "x/s"}, "y": {"SCALE_TENSOR": "y/s"}}
    (made,) = graph.nodes
    found = [made.read_integer(name, 5) for name in ("first", "second", "third")]
    assert found == [-7, 1 << 40, 5]
