"""Open dimensions of inputs: chosen, assumed, or refused."""

from __future__ import annotations

from typing import Any

import pytest
from onnx import TensorProto, ValueInfoProto, helper

from ipudebug.errors import InputError, ModelError
from ipudebug.sim.binding import bind_shapes, parse_shapes, read_dims


def inputs(*shapes: Any) -> list[ValueInfoProto]:
    return [helper.make_tensor_value_info(f"x{place}", TensorProto.FLOAT, shape) for place, shape in enumerate(shapes)]


def test_shapes_are_parsed() -> None:
    assert parse_shapes("1,3,224,224:1, 10") == [(1, 3, 224, 224), (1, 10)]
    assert parse_shapes("2::3") == [(2,), (), (3,)]


@pytest.mark.parametrize("text", ["0", "-1", "1,,2", "1x3", "1.5", "²", "9" * 30])
def test_what_is_no_shape(text: str) -> None:
    with pytest.raises(InputError, match="--input_shapes: expected whole numbers above 0, found"):
        parse_shapes(text)


def test_chosen_shapes_are_set() -> None:
    fed = inputs(("n", "c", 4), None, ("n",), ())
    assert bind_shapes(fed, [(2, 3, 4), (5,), (2,), ()]) == []
    assert [read_dims(info) for info in fed] == [[2, 3, 4], [5], [2], []]


def test_one_name_has_one_size() -> None:
    with pytest.raises(InputError, match="expected one size for n, found 2 for input x0 and 3 for input x1"):
        bind_shapes(inputs(("n", 4), ("n", 5)), [(2, 4), (3, 5)])


def test_an_open_batch_is_one_in_every_input() -> None:
    fed = inputs(("n", 4), (None, 5), (7, 8), ("n",), ())
    assert len(bind_shapes(fed, None)) == 3
    assert [read_dims(info) for info in fed] == [[1, 4], [1, 5], [7, 8], [1], []]


@pytest.mark.parametrize("shape", [(1, "h"), ("n", 3, None), ("n", "n")])
def test_any_other_open_dimension_is_refused_with_the_vendors_words(shape: Any) -> None:
    with pytest.raises(ModelError) as caught:
        bind_shapes(inputs(shape), None)
    assert str(caught.value).startswith(
        "DYNSHAPESYM sub lacks shape info, please check DYNAMIC_CONFIG in ini! input x0"
    )
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("fix them with --input_shapes")


def test_an_input_without_a_shape_or_that_is_no_tensor() -> None:
    with pytest.raises(ModelError, match=r"^sub 0, tensor \[x0\] has dynamic shape that cannot be figured out!"):
        bind_shapes(inputs(None), None)
    sequence = helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, [1])
    with pytest.raises(ModelError, match="input s is no tensor"):
        bind_shapes([sequence], None)
