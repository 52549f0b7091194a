from __future__ import annotations

import onnx
import pytest
from onnx import TensorProto, helper

from ipudebug.runners.elements import ELEMENT_TYPES, encode_tensor_type, encode_type


def test_numbers_and_dtypes_are_those_of_the_onnx_package() -> None:
    for name, number in TensorProto.DataType.items():
        element = ELEMENT_TYPES.get(number)
        assert element or number == 0 or number > 26, "onnx has a type that is not in the table"
        if element:
            assert element.name == name.lower()
            if element.carrier == number and element.dtype is not None:
                assert element.dtype == helper.tensor_dtype_to_np_dtype(number)


@pytest.mark.parametrize("element", ELEMENT_TYPES.values(), ids=lambda element: element.name)
def test_a_carrier_has_the_dtype_that_is_delivered(element) -> None:  # type: ignore[no-untyped-def]
    assert ELEMENT_TYPES[element.carrier].dtype == element.dtype


def test_types_as_onnxruntime_words_them() -> None:
    tensor = helper.make_tensor_type_proto(TensorProto.FLOAT16, [2, 0])
    assert onnx.TypeProto.FromString(encode_type("tensor(float16)", (2, 0))) == tensor
    open_shape = helper.make_tensor_type_proto(TensorProto.INT64, None)
    assert onnx.TypeProto.FromString(encode_type("tensor(int64)")) == open_shape
    sequence = helper.make_sequence_type_proto(open_shape)
    assert onnx.TypeProto.FromString(encode_type("seq(tensor(int64))")) == sequence
    assert onnx.TypeProto.FromString(encode_type("optional(seq(tensor(int64)))")) == helper.make_optional_type_proto(
        sequence
    )
    dictionary = onnx.TypeProto.FromString(encode_type("map(string,tensor(double))")).map_type
    assert (dictionary.key_type, dictionary.value_type.tensor_type.elem_type) == (
        TensorProto.STRING,
        TensorProto.DOUBLE,
    )
    sparse = onnx.TypeProto.FromString(encode_type("sparse_tensor(float)")).sparse_tensor_type
    assert sparse.elem_type == TensorProto.FLOAT
    with pytest.raises(KeyError):
        encode_type("opaque")


def test_a_dimension_that_is_not_fixed_stays_open() -> None:
    dims = onnx.TypeProto.FromString(encode_tensor_type(1, (-1, 3))).tensor_type.shape.dim
    assert [dim.WhichOneof("value") for dim in dims] == [None, "dim_value"]
