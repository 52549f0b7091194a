from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper

from ipudebug.runners.convert import encode_converter
from ipudebug.runners.session import Engine, shorten

NAMES = ["FLOAT", "DOUBLE", "FLOAT16", "UINT8", "INT8", "INT16", "UINT16", "INT32", "UINT32", "INT64", "UINT64", "BOOL"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(1, 3, 5, 7), (2, 3, 200, 150), (1, 1, 9, 9), (2, 9, 1, 1), (0, 3, 4, 5), (6, 5)])
def test_arrays_go_in_and_come_out_in_nhwc(name: str, shape: tuple[int, ...]) -> None:
    number = TensorProto.DataType.Value(name)
    dtype = helper.tensor_dtype_to_np_dtype(number)
    array = np.random.default_rng(1).integers(0, 100, shape).astype(dtype)
    engine = Engine(False, None, "")
    value = engine.wrap(array, number)
    assert value.element_type() == number
    plain, shares = engine.to_array(value, nhwc=False)
    np.testing.assert_array_equal(plain, array, strict=True)
    assert shares
    turned, shares = engine.to_array(value, nhwc=True)
    expected = array.transpose(0, 2, 3, 1) if len(shape) == 4 else array
    np.testing.assert_array_equal(turned, expected, strict=True)
    assert turned.flags.c_contiguous
    assert shares or not np.shares_memory(turned, array)


def test_bfloat16_rounds_to_the_nearest_even() -> None:
    bits = np.array([0x3F808000, 0x3F818000, 0x3F80FFFF, 0x7F800000], np.uint32)
    engine = Engine(False, None, "")
    value = engine.wrap(bits.view(np.float32), TensorProto.BFLOAT16)
    assert value.element_type() == TensorProto.BFLOAT16
    array, shares = engine.to_array(value, nhwc=False)
    assert not shares
    assert [hex(word) for word in array.view(np.uint32)] == ["0x3f800000", "0x3f820000", "0x3f810000", "0x7f800000"]


def test_converters_are_valid_models() -> None:
    import onnx

    for source, transpose in ((1, True), (16, False), (16, True), (17, True), (21, False)):
        model = onnx.ModelProto.FromString(encode_converter(source, 2 if source == 21 else 1, transpose))
        onnx.shape_inference.infer_shapes(model, strict_mode=True)
        assert [n.op_type for n in model.graph.node] == ["Cast"] * (source != 1) + ["Transpose"] * transpose


def test_onnxruntimes_words_are_shortened() -> None:
    place = "/onnxruntime_src/core/providers/cpu/tensor/reshape_helper.h:47 "
    function = "onnxruntime::ReshapeHelper::ReshapeHelper(const onnxruntime::TensorShape&, TensorShapeVector&, bool) "
    where = "[ONNXRuntimeError] : 1 : FAIL : Non-zero status code returned while running Reshape node. Name:'resh' "
    text = f"{where}Status Message: {place}{function}input_shape_size == size was false. It cannot be done"
    assert shorten(text) == "input_shape_size == size was false. It cannot be done"
    text = "[ONNXRuntimeError] : 10 : INVALID_GRAPH : Load model from a/b.onnx failed:This is an invalid model."
    assert shorten(text) == "This is an invalid model."
    assert shorten("no\nmarks   at all") == "no marks at all"
    assert len(shorten("x " * 400)) == 300
