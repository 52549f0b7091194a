"""ONNX messages written by hand, read back with the onnx package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from bench.data.vendor_models import make_float
from ipudebug.sim.vendor.onnx_writer import encode_model, encode_node, encode_value, encode_weight, find_element

ATTRIBUTES = {"axis": -1, "alpha": 0.125, "mode": "größe", "perm": [0, 3, -2, 1 << 40], "none": [], "big": 1e300}


def test_a_node_with_every_kind_of_attribute() -> None:
    node = onnx.NodeProto.FromString(encode_node("Op", ["a", "", "b"], ["y"], "ipudebug", ATTRIBUTES))
    assert (node.op_type, list(node.input), list(node.output), node.domain) == ("Op", ["a", "", "b"], ["y"], "ipudebug")
    found = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    assert found == {**ATTRIBUTES, "mode": "größe".encode(), "big": float("inf")}


@pytest.mark.parametrize("dtype", ["float32", "float16", "int32", "uint8", "int64", "bool", "int16", "int8"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 1, 3)])
def test_weights(dtype: str, shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    tensor = onnx.TensorProto.FromString(encode_weight("w", array.T))
    found = numpy_helper.to_array(tensor)
    assert (tensor.name, found.dtype, found.shape) == ("w", array.dtype, array.T.shape)
    np.testing.assert_array_equal(found, array.T)
    assert find_element(np.dtype(dtype)) == helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


def test_a_model() -> None:
    node = encode_node("Relu", ["x"], ["y"], "", {})
    ends = [[encode_value(name, 1, (1, 200))] for name in ("x", "y")]
    model = onnx.load_model_from_string(encode_model([node], [], *ends, {"": 17, "ipudebug": 1}, {"source": "é"}))
    onnx.checker.check_model(model, full_check=True)
    assert {entry.domain: entry.version for entry in model.opset_import} == {"": 17, "ipudebug": 1}
    assert [(entry.key, entry.value) for entry in model.metadata_props] == [("source", "é")]
    assert [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim] == [1, 200]


def test_a_float_model_is_read_without_the_onnx_package(tmp_path: Path) -> None:
    (tmp_path / "float.sim").write_bytes(make_float())
    script = (
        "import sys; from ipudebug.sim.loading import load_sim; from ipudebug.sim.simulate import Simulator; "
        "import numpy as np; simulator = Simulator(load_sim('float.sim')); "
        "simulator.run({'x': np.zeros((1, 3, 8, 8), np.float32)}); assert 'onnx' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
