from dataclasses import replace

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipudebug.errors import InputError
from ipudebug.inputs.feed import WrongArrayCount, WrongShape, WrongType, make_feed
from ipudebug.tensor import Layout, QuantParams, TensorInfo


def info(shape, dtype="float32", name="images"):
    return TensorInfo(name, tuple(shape), np.dtype(dtype))


def numbered(shape, dtype=np.float32):
    return np.arange(np.prod(shape), dtype=np.float64).reshape(shape).astype(dtype)


def feed_one(target, array, layout=None):
    notes = []
    feed = make_feed([target], [array], [layout], notes.append)
    return feed[target.name], notes


def test_nhwc_becomes_nchw():
    array = numbered((1, 2, 4, 3))
    fed, notes = feed_one(info((1, 3, 2, 4)), array)
    assert all(fed[0, c, h, w] == array[0, h, w, c] for c in range(3) for h in range(2) for w in range(4))
    assert fed.flags.c_contiguous
    assert notes == []


@pytest.mark.parametrize("shape", [(1, 3, -1, -1), (-1, -1, -1, -1), (-1, 3, 2, 4)])
def test_open_dimensions_take_any_size(shape):
    assert feed_one(info(shape), numbered((1, 2, 4, 3)))[0].shape == (1, 3, 2, 4)


def test_equal_dimensions_are_transposed_as_nhwc():
    array = numbered((1, 3, 3, 3))
    assert feed_one(info((1, 3, 3, 3)), array)[0].tolist() == np.moveaxis(array, 3, 1).tolist()


def test_declared_nchw_stays():
    array = numbered((1, 3, 3, 3))
    fed, notes = feed_one(info((1, 3, 3, 3)), array, Layout.NCHW)
    assert (fed.tolist(), notes) == (array.tolist(), [])


@pytest.mark.parametrize("layout", [None, Layout.NHWC])
@pytest.mark.parametrize("assumed", [None, Layout.NCHW])
@pytest.mark.parametrize("shape", [(1, 2, 4, 3), (-1, -1, -1, 3)])
def test_a_model_that_takes_nhwc_gets_it_with_a_note(shape, assumed, layout):
    array = numbered((1, 2, 4, 3))
    fed, notes = feed_one(replace(info(shape), layout=assumed), array, layout)
    assert fed.tolist() == array.tolist()
    expected = ", ".join(map(str, shape))
    assert notes == [
        f"input images: the preprocess result [1, 2, 4, 3] fits the model's [{expected}] as it is; "
        "not transposed from NHWC to NCHW"
    ]


def test_a_runner_may_say_that_its_model_takes_nhwc():
    array = numbered((1, 3, 3, 3))
    target = replace(info((1, 3, 3, 3)), layout=Layout.NHWC)
    assert feed_one(target, array)[0].tolist() == array.tolist()
    assert feed_one(target, array, Layout.NCHW)[0].tolist() == np.moveaxis(array, 1, 3).tolist()
    with pytest.raises(WrongShape, match="Got 2 but expected 3 for dimension 1"):
        feed_one(replace(target, shape=(1, 3, 2, 4)), numbered((1, 2, 4, 3)))


@pytest.mark.parametrize("shape", [(), (5,), (1, 8), (1, 2, 3), (1, 2, 3, 4, 5)])
def test_other_ranks_stay(shape):
    array = numbered(shape)
    fed, notes = feed_one(info(shape), array)
    assert (fed.shape, fed.tolist(), notes) == (shape, array.tolist(), [])


def test_inputs_are_paired_in_order():
    feed = make_feed([info((1,), name="a"), info((2,), name="b")], [numbered((1,)), numbered((2,))])
    assert {name: array.shape for name, array in feed.items()} == {"a": (1,), "b": (2,)}


def test_a_wrong_size():
    with pytest.raises(WrongShape) as caught:
        feed_one(info((1, 3, 640, 640)), numbered((1, 640, 160, 3)))
    assert caught.value.message == (
        "Cannot set tensor: Dimension mismatch. Got 160 but expected 640 for dimension 3 of input 0, name: images; "
        "the preprocess returned [1, 640, 160, 3], which goes in as [1, 3, 640, 160], the model takes [1, 3, 640, 640]"
    )
    assert isinstance(caught.value, ValueError)


def test_nhwc_data_declared_as_nchw():
    with pytest.raises(WrongShape) as caught:
        feed_one(info((1, 3, 2, 4)), numbered((1, 2, 4, 3)), Layout.NCHW)
    assert "Got 2 but expected 3 for dimension 1 of input 0" in caught.value.message
    assert caught.value.hint == "the ini says input_layouts=NCHW, but NHWC would fit: correct one of the two"


def test_a_missing_batch_dimension():
    with pytest.raises(WrongShape) as caught:
        feed_one(info((1, 3, 2, 4)), numbered((2, 4, 3)))
    assert caught.value.message.startswith(
        "Cannot set tensor: Dimension length mismatch. Got 3 but expected 4 for input 0, name: images; "
    )
    assert caught.value.hint == "return the array with a batch dimension: array[numpy.newaxis]"
    with pytest.raises(WrongShape):
        feed_one(info((3,)), numbered((1, 2, 4, 3)))


@pytest.mark.parametrize(
    ("found", "expected", "shown", "hint"),
    [
        ("float64", "float32", "Unknown TensorType", "end the preprocess in .astype(np.float32)"),
        ("float64", "float16", "Unknown TensorType", "end the preprocess in .astype(np.float32)"),
        ("uint8", "float32", "UINT8", "end the preprocess in .astype(np.float32) (is the norm flag ignored?)"),
        ("float16", "float32", "FLOAT16", "end the preprocess in .astype(np.float32)"),
        ("int32", "float64", "INT32", "end the preprocess in .astype(np.float64) (is the norm flag ignored?)"),
        ("complex64", "int8", "COMPLEX64", "the input takes whole numbers from -128 to 127"),
        ("<U3", "float32", "Unknown TensorType", "end the preprocess in .astype(np.float32)"),
    ],
)
def test_types_that_do_not_go_together(found, expected, shown, hint):
    with pytest.raises(WrongType) as caught:
        feed_one(info((2,), expected), np.zeros(2, found))
    assert caught.value.message.startswith(
        f"Cannot set input tensor: Got tensor of type {shown} but expected type {expected.upper()} "
        "for input 0, name: images (expected "
    )
    assert caught.value.hint == hint
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("dtype", ["float16", "float64", ml_dtypes.bfloat16, ml_dtypes.float8_e5m2])
def test_float32_is_cast_to_other_floats(dtype):
    fed, notes = feed_one(info((3,), dtype), np.array([0.5, -2, 1], np.float32))
    assert (fed.dtype, fed.astype(float).tolist(), notes) == (np.dtype(dtype), [0.5, -2, 1], [])


def test_values_beyond_the_range_are_noted():
    fed, notes = feed_one(info((3,), "float16"), np.array([1e5, -1e5, np.inf], np.float32))
    assert fed.tolist() == [np.inf, -np.inf, np.inf]
    assert notes[1:] == ["input images: 2 values lie beyond the range of float16 and became infinite or NaN"]
    assert notes[0].startswith("input images: 1 of 3 values")


BOUNDS = {f"int{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)}
BOUNDS |= {f"uint{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)} | {"bool": (0, 1)}


@pytest.mark.parametrize("dtype", BOUNDS)
@given(
    value=st.integers(-(2**65), 2**65) | st.floats(), source=st.sampled_from(["float16", "float32", "float64", "int64"])
)
def test_integers_are_taken_exactly_or_not_at_all(dtype, value, source):
    if source == "int64" and not (isinstance(value, int) and abs(value) < 2**63):
        return
    with np.errstate(over="ignore"):
        array = np.array([float(value) if source != "int64" else value], source)
    exact = array.tolist()[0]
    least, greatest = BOUNDS[dtype]
    is_whole = np.isfinite(exact) and int(exact) == exact and least <= int(exact) <= greatest
    if is_whole:
        fed, _ = feed_one(info((1,), dtype), array)
        assert fed.dtype == dtype
        assert int(fed[0]) == int(exact)
    elif dtype != source:
        with pytest.raises(WrongType):
            feed_one(info((1,), dtype), array)


def test_four_bit_integers():
    assert feed_one(info((2,), ml_dtypes.int4), np.array([-8, 7]))[0].dtype == ml_dtypes.int4
    with pytest.raises(WrongType, match="expected type INT4"):
        feed_one(info((1,), ml_dtypes.int4), np.array([8]))


def test_byte_order_does_not_matter():
    fed, _ = feed_one(info((2,)), np.array([1, 2], ">f4"))
    assert (fed.dtype, fed.tolist()) == (np.dtype(np.float32), [1, 2])


@pytest.mark.parametrize("dtype", [object, "<U4"])
def test_string_inputs_are_refused(dtype):
    with pytest.raises(InputError, match=r"^input 0, name: images takes strings, expected an input that takes numbers"):
        feed_one(info((1,), dtype), np.zeros(1, np.float32))


def test_the_number_of_arrays():
    with pytest.raises(WrongArrayCount) as caught:
        make_feed([info((1, 3, -1, 4), name="a"), info((2,), "int64", "b")], [numbered((1, 2))])
    assert caught.value.message == (
        "Got different num of inputs and images! expected 2: a float32[1, 3, -1, 4], b int64[2]; found 1: float32[1, 2]"
    )
    assert isinstance(caught.value, ValueError)


def test_real_values_are_quantised_for_a_quantised_input() -> None:
    info = TensorInfo("x", (5,), np.dtype("int8"), QuantParams((0.5,), (-1,)))
    notes: list[str] = []
    values = np.array([0.0, 0.25, -0.25, 100.0, -100.0], np.float32)
    feed = make_feed([info], [values], note=notes.append)
    assert feed["x"].dtype == np.int8
    assert feed["x"].tolist() == [-1, 0, -1, 127, -128]
    assert notes == ["input x: the preprocess result was quantised to int8 (scale 0.5, zero point -1)"]


@pytest.mark.parametrize(("strays", "count"), [([], 0), ([np.nan], 1), ([np.nan, np.inf, -np.inf], 3)])
def test_nan_and_infinities_are_noted(strays: list[float], count: int) -> None:
    array = numbered((1, 2, 4, 3))
    array.reshape(-1)[5 : 5 + len(strays)] = strays
    noted = [f"input images: {count} of 24 values of the preprocess result are NaN or infinite"] if count else []
    assert feed_one(info((1, 3, 2, 4)), array)[1] == noted


def test_integers_of_a_quantised_input_go_in_as_they_are() -> None:
    info = TensorInfo("x", (2,), np.dtype("int8"), QuantParams((0.5,), (-1,)))
    assert make_feed([info], [np.array([3, -4], np.int8)])["x"].tolist() == [3, -4]


def test_a_nan_cannot_be_quantised() -> None:
    info = TensorInfo("x", (1,), np.dtype("int8"), QuantParams((0.5,), (-1,)))
    with pytest.raises(InputError, match="NaN"):
        make_feed([info], [np.array([np.nan], np.float32)])
