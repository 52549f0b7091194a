"""No false alarm on real models; what is found in them is true, and listed here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnx.backend.test.data
import pytest
from onnx import TensorProto, helper, numpy_helper

from ipudebug.errors import ModelError
from ipudebug.sim.constraints import check_model, load_subject

LIGHT = Path(next(iter(onnx.backend.test.data.__path__))) / "light"
TRUE_FINDINGS = {"mobilenet_v2_0.35_128_tfs_channel_first.onnx": ["051"]}
"""Its batch size is symbolic."""


def list_alarms(path: Path) -> list[str]:
    return [finding.entry.key for finding in check_model(load_subject(str(path))) if finding.level != "note"]


@pytest.mark.parametrize("path", sorted(LIGHT.glob("*.onnx")), ids=lambda path: path.stem)
def test_no_alarm_on_the_light_models_of_the_onnx_package(path: Path) -> None:
    assert list_alarms(path) == []


@pytest.mark.reference
def test_no_alarm_on_the_reference_models(reference: Path) -> None:
    models = sorted(reference.rglob("*.onnx"))
    assert len(models) >= 6
    assert {path.name: found for path in models if (found := list_alarms(path))} == TRUE_FINDINGS


@pytest.mark.reference
def test_a_symbolic_input_is_in_order_once_its_shape_is_given(reference: Path) -> None:
    path = str(reference / "models" / next(iter(TRUE_FINDINGS)))
    assert check_model(load_subject(path, input_shapes="1,3,128,128"))[0].level == "note"


def test_weights_in_other_files_are_never_opened(tmp_path: Path) -> None:
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1 << 14, 1 << 15])  # 2 GB that are not there
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="absent.bin")
    fed = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1 << 14])]
    made = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g", fed, made, [weight])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), tmp_path / "m.onnx")
    assert list_alarms(tmp_path / "m.onnx") == []


def test_weights_inside_the_file_are_dropped(tmp_path: Path) -> None:
    weight = numpy_helper.from_array(np.ones((1 << 12, 1 << 10), np.float32), "w")
    fed = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1 << 12])]
    made = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g", fed, made, [weight])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), tmp_path / "m.onnx")
    subject = load_subject(str(tmp_path / "m.onnx"))
    assert subject.graph.model.ByteSize() < 10_000
    assert subject.graph.find_shape("w") == (1 << 12, 1 << 10)
    assert subject.graph.find_constant("w") is None
    assert check_model(subject) == []


def test_a_file_larger_than_a_protobuf_is_refused_unread(tmp_path: Path) -> None:
    with open(tmp_path / "m.onnx", "wb") as file:
        file.truncate(1 << 31)  # sparse
    with pytest.raises(ModelError, match="more than a protobuf holds") as caught:
        load_subject(str(tmp_path / "m.onnx"))
    assert "external data" in (caught.value.hint or "")


def test_a_model_from_before_opsets_were_stated(tmp_path: Path) -> None:
    model = helper.make_model(helper.make_graph([], "g", [], []), ir_version=2)
    model.ClearField("opset_import")
    onnx.save(model, tmp_path / "m.onnx")
    assert list_alarms(tmp_path / "m.onnx") == []
