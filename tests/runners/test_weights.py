"""The data of weights, against what the onnx package reads, for every type and every way to store them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ipudebug.errors import ModelError
from ipudebug.files import OpenFile
from ipudebug.runners.elements import ELEMENT_TYPES
from ipudebug.runners.model_file import MemoryFile, open_model
from ipudebug.runners.weights import find_dtype, read_weight
from tests.runners.onnx_files import node, save

NUMERIC = [number for number, element in ELEMENT_TYPES.items() if element.dtype is not None and number != 8]


def write(path: Path, *weights: TensorProto) -> str:
    return save(path, [node("Shape", [weight.name], [f"{weight.name}/y"]) for weight in weights], [], [], list(weights))


def check(path: str, weight: TensorProto) -> None:
    """Hold what is read from a file, and from memory, against the onnx package."""
    expected = numpy_helper.to_array(weight, str(Path(path).parent))
    for file in (OpenFile(path, "the model", ModelError), MemoryFile(path, Path(path).read_bytes())):
        found = read_weight(file, open_model(file).weights[weight.name])
        assert found.dtype == find_dtype(weight.data_type)
        assert found.shape == expected.shape
        np.testing.assert_array_equal(found, expected.astype(found.dtype))  # NaN in float8e8m0, which has no zero


@pytest.mark.parametrize("element", NUMERIC)
@pytest.mark.parametrize("shape", [(), (0, 3), (6,), (40, 250)])
@pytest.mark.parametrize("raw", [True, False])
def test_every_type_and_size(tmp_path: Path, element: int, shape: tuple[int, ...], raw: bool) -> None:
    dtype = helper.tensor_dtype_to_np_dtype(element)
    values = (np.arange(np.prod(shape, dtype=int)) % 2).reshape(shape).astype(dtype)
    weight = numpy_helper.from_array(values, "w")
    if not raw:
        weight = helper.make_tensor("w", element, shape, values.reshape(-1))
    check(write(tmp_path / "m.onnx", weight), weight)


def test_negative_and_large_integers(tmp_path: Path) -> None:
    for element, numbers in (
        (TensorProto.INT64, [-(2**63), 2**63 - 1, -1]),
        (TensorProto.INT32, [-(2**31), 2**31 - 1]),
        (TensorProto.UINT16, [0, 65535]),
        (TensorProto.UINT32, [0, 2**32 - 1]),
        (TensorProto.UINT64, [0, 2**64 - 1]),
    ):
        weight = helper.make_tensor("w", element, [len(numbers)], numbers)
        check(write(tmp_path / "m.onnx", weight), weight)


def test_data_in_another_file(tmp_path: Path) -> None:
    weight = numpy_helper.from_array(np.arange(12, dtype=np.float32).reshape(3, 4), "w")
    path = write(tmp_path / "m.onnx", weight)
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="data", size_threshold=0)
    outside = onnx.load(path, load_external_data=False).graph.initializer[0]
    assert outside.data_location == TensorProto.EXTERNAL
    found = read_weight(
        OpenFile(path, "the model", ModelError), open_model(OpenFile(path, "m", ModelError)).weights["w"]
    )
    assert np.array_equal(found, numpy_helper.to_array(weight))


def test_a_weight_that_does_not_fit_its_shape(tmp_path: Path) -> None:
    short = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3], raw_data=bytes(8))
    few = TensorProto(name="w", data_type=TensorProto.INT64, dims=[2], int64_data=[1])
    rare = TensorProto(name="w", data_type=TensorProto.UINT64, dims=[2], uint64_data=[1])
    for weight, found in ((short, "2 elements"), (few, "1 elements")):
        file = MemoryFile("m.onnx", Path(write(tmp_path / "m.onnx", weight)).read_bytes())
        with pytest.raises(ModelError, match=rf"m\.onnx: weight 'w': expected \d elements \(\d\), found {found}"):
            read_weight(file, open_model(file).weights["w"])
    file = MemoryFile("m.onnx", Path(write(tmp_path / "m.onnx", rare)).read_bytes())
    with pytest.raises(ModelError, match="the weight 'w' cannot be read"):
        read_weight(file, open_model(file).weights["w"])
