"""The records of a simulator's dump: order, copies, when a tensor is let go, what the flags do."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import onnx
import pytest

from ipudebug.errors import ModelError
from ipudebug.runners import ModelFiles
from ipudebug.sim.model import BoardInput, Operation, SimModel, Stage
from ipudebug.sim.records import iterate_records, list_headers, list_records
from ipudebug.tensor import Layout, QuantParams, Tensor, TensorInfo

SHAPE = (1, 2, 2, 3)
WEIGHTS = np.arange(-3, 3, dtype=np.int8).reshape(2, 3)


def fixed(input_format: str = "RGBA", kind: str = "vendor") -> SimModel:
    """Return a model of two operations: a fused one that reads the image and weights, and one that reads it again."""

    def describe(name: str, dtype: str, scale: float, zero: int, **more: object) -> TensorInfo:
        return TensorInfo(name, SHAPE, np.dtype(dtype), QuantParams((scale,), (zero,)), Layout.NHWC, **more)  # type: ignore[arg-type]

    tensors = {
        "x": describe("x", "u1", 0.5, 128),
        "w": TensorInfo("w", (2, 3), np.dtype("i1"), QuantParams((0.25, 0.125), (0, 0), 0), constant=True),
        "y": describe("y", "u1", 0.0625, 3),
        "z": describe("z", "i2", 0.00390625, 0),
    }
    operations = (
        Operation(0, "CONV_2D", "RELU", ("x", "w"), ("y",)),
        Operation(4, "ADD", "ADD", ("y", "x"), ("z",)),
    )
    inputs = (BoardInput("x", "RGB", input_format),)
    made = (operations, tensors, {"w": WEIGHTS}, inputs)
    return SimModel(Stage.FIXED, kind, ModelFiles("net.sim"), onnx.ModelProto, *made)  # type: ignore[arg-type]


def trace(arrays: dict[str, np.ndarray]) -> Iterator[Tensor]:
    for name, array in arrays.items():
        yield Tensor(TensorInfo(name, array.shape, array.dtype, layout=Layout.NHWC), array)


Y = np.arange(12, dtype=np.uint8).reshape(SHAPE)
Z = np.arange(-6, 6, dtype=np.int16).reshape(SHAPE)
BOARD = np.arange(16, dtype=np.uint8).reshape(1, 2, 2, 4)
FEED = {"x": np.ascontiguousarray(BOARD.transpose(0, 3, 1, 2))}
MADE = {"hidden": Z, "y": Y, "z": Z}


def test_the_order_of_records() -> None:
    found = [(record.operation.index, record.role, record.port, record.name) for record in list_records(fixed())]
    assert found == [
        (0, "in", 0, "x"),
        (0, "in", 1, "w"),
        (0, "out", 0, "y"),
        (4, "in", 0, "y"),
        (4, "in", 1, "x"),
        (4, "out", 0, "z"),
    ]


def test_headers_show_the_tensors_own_type_scale_and_zero_point() -> None:
    lines = [header.lines(with_shape=False).decode() for header in list_headers(fixed(), dequantise=True)]
    assert lines[:3] == [
        "//in 0 s: 0.500000 z: 128 type: SGS_U8 name: x bConstant:0\nop_in[0] CONV_2D = {\n",
        "//in 1 s: 0.250000 z: 0 type: SGS_S8 name: w bConstant:1\nop_in[0] CONV_2D = {\n",
        "//out 0 s: 0.062500 z: 3 type: SGS_U8 name: y bConstant:0\nop_out[0] RELU = {\n",
    ]
    assert b" shape:[1, 2, 2, 4] dims:4" in list_headers(fixed(), dequantise=True)[0].lines(with_shape=True)


def test_raw_records_are_the_integers() -> None:
    records = list(iterate_records(fixed(), trace(MADE), feed=FEED))
    assert [tensor.info.dtype.name for tensor in records] == ["uint8", "int8", "uint8", "uint8", "uint8", "int16"]
    assert records[0].array.reshape(-1).tolist() == list(range(12))  # the buffer of four channels, cut
    assert records[1].array.tolist() == WEIGHTS.tolist()
    assert records[3].array.tolist() == Y.tolist()
    assert (records[2].info.op_type, records[2].info.role, records[2].info.quant) == (
        "RELU",
        "out",
        QuantParams((0.0625,), (3,)),
    )


def test_dequantised_records_are_real_but_constants_keep_their_integers() -> None:
    records = list(iterate_records(fixed(), trace(MADE), feed=FEED, dequantise=True))
    assert {tensor.array.dtype.name for tensor in records} == {"float32"}
    assert all(tensor.info.quant is None for tensor in records)
    np.testing.assert_array_equal(records[0].array, (BOARD.astype(float) - 128) * 0.5)
    np.testing.assert_array_equal(records[1].array, WEIGHTS)
    np.testing.assert_array_equal(records[2].array, (Y.astype(float) - 3) * 0.0625)
    np.testing.assert_array_equal(records[5].array, Z * 0.00390625)


def test_an_rgb_image_is_dumped_from_a_buffer_of_four_bytes_a_pixel() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(SHAPE)
    feed = {"x": np.ascontiguousarray(image.transpose(0, 3, 1, 2))}
    raw = next(iterate_records(fixed("RGB"), trace(MADE), feed=feed))
    assert raw.array.tolist() == image.tolist()
    real = next(iterate_records(fixed("RGB"), trace(MADE), feed=feed, dequantise=True))
    expected = [(value - 128) * 0.5 for value in [*range(12), 0, 0, 0, 0]]
    assert real.array.tolist() == expected
    own = next(iterate_records(fixed("RGB", "ipudebug"), trace(MADE), feed=feed, dequantise=True))
    assert own.info.shape == SHAPE


@pytest.mark.parametrize("dequantise", [False, True])
def test_an_image_that_is_converted_is_dumped_as_the_first_layer_reads_it(dequantise: bool) -> None:
    """Under the input's name, with the facts of what the conversion made."""
    model = fixed("BGRA", "ipudebug")
    pixels = TensorInfo("x#pixels", SHAPE, np.dtype("u1"), QuantParams((0.25,), (7,)), Layout.NHWC)
    model = replace(model, tensors={**model.tensors, "x#pixels": pixels}, converted={"x": "x#pixels"})
    made = np.arange(50, 62, dtype=np.uint8).reshape(SHAPE)
    records = list(iterate_records(model, trace({"x#pixels": made, **MADE}), feed=FEED, dequantise=dequantise))
    headers = list_headers(model, dequantise=dequantise)
    wanted = ((made.astype(int) - 7) * 0.25).astype(np.float32) if dequantise else made
    for place in (0, 4):
        assert (records[place].info.name, records[place].info.shape) == ("x", SHAPE)
        assert records[place].array.tobytes() == wanted.tobytes()
        assert (
            headers[place]
            .lines(with_shape=True)
            .startswith(b"//in %d s: 0.250000 z: 7 type: SGS_U8 name: x bConstant:0 shape:[1, 2, 2, 3] " % (place // 4))
        )


def test_a_tensor_is_held_until_its_last_record_and_no_longer() -> None:
    """What the trace gives is gone as soon as the record of its last reader has been taken."""
    alive: dict[str, weakref.ref] = {}

    def make() -> Iterator[Tensor]:
        for name in MADE:
            yield wrap(name)

    def wrap(name: str) -> Tensor:
        array = np.array(MADE[name])
        alive[name] = weakref.ref(array)
        return Tensor(TensorInfo(name, array.shape, array.dtype, layout=Layout.NHWC), array)

    records = iterate_records(fixed(), make(), feed=FEED)
    seen = []
    for tensor in records:
        del tensor
        gc.collect()
        seen.append({name for name, reference in alive.items() if reference() is not None})
    assert seen == [set(), set(), {"y"}, set(), set(), set()]


def test_a_trace_that_ends_early_or_gives_another_size_is_refused() -> None:
    with pytest.raises(ModelError, match="'z' was not computed"):
        list(iterate_records(fixed(), trace({"y": Y}), feed=FEED))
    with pytest.raises(ModelError, match=r"'y': expected \[1, 2, 2, 3\], found \[1, 1, 2, 3\]"):
        list(iterate_records(fixed(), trace({"y": Y[:, :1]}), feed=FEED))
