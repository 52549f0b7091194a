"""From a preprocess result through the board's buffer to the graph, for every kind of input."""

from __future__ import annotations

import numpy as np
import pytest

from ipudebug.inputs.feed import make_feed
from ipudebug.sim.feeding import InputPort
from ipudebug.sim.model import BoardInput
from ipudebug.tensor import Layout, QuantParams, TensorInfo

QUANT = QuantParams((0.5,), (0,))
IMAGE = np.random.default_rng(0).integers(0, 256, (1, 5, 7, 3), np.uint8)


def port(shape: tuple[int, ...], dtype: type, training: str, board: str, **fields: object) -> InputPort:
    info = TensorInfo("x", shape, np.dtype(dtype), QUANT, Layout.NCHW if len(shape) == 4 else None, role="in")
    return InputPort(BoardInput("x", training, board, **fields), info)  # type: ignore[arg-type]


def feed(one: InputPort, returned: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the board's buffer and what the graph takes, for what a preprocess returned."""
    buffer = one.fill_buffer(make_feed([one.expected], [returned])["x"])
    assert buffer.shape == one.buffer_info.shape
    taken = one.read_buffer(buffer)
    assert (taken.shape, taken.dtype) == (one.graph.shape, one.graph.dtype)
    return buffer, taken


@pytest.mark.parametrize(
    ("training", "board", "channels", "wanted"),
    [
        ("RGB", "RGB", 3, [0, 1, 2]),
        ("BGR", "BGR", 3, [0, 1, 2]),
        ("RGB", "RGBA", 4, [0, 1, 2, None]),
        ("RGB", "RGBA", 3, [0, 1, 2]),
        ("RGB", "BGRA", 4, [2, 1, 0, None]),
        ("BGR", "RGBA", 3, [2, 1, 0]),
    ],
)
def test_an_image_reaches_the_graph_in_the_board_s_order(
    training: str, board: str, channels: int, wanted: list[int | None]
) -> None:
    one = port((1, channels, 5, 7), np.uint8, training, board, width_alignment=16)
    assert one.is_image
    assert (one.expected.shape, one.expected.layout) == ((1, 5, 7, 3), Layout.NHWC)
    buffer, taken = feed(one, IMAGE)
    for place, source in enumerate(wanted):
        assert np.array_equal(taken[:, place], IMAGE[..., source] if source is not None else np.zeros((1, 5, 7)))
    assert one.pack_buffer(buffer).size == (5 * 7 * 3 if len(board) == 3 else 5 * 32)


def test_a_model_that_takes_nhwc() -> None:
    one = port((1, 5, 7, 4), np.uint8, "RGB", "RGBA")
    _, taken = feed(one, IMAGE)
    assert np.array_equal(taken[..., :3], IMAGE)
    assert not taken[..., 3].any()


def test_nv12_keeps_the_luma_of_a_gray_image_and_blurs_colours() -> None:
    gray = IMAGE[..., :1]
    buffer, taken = feed(port((1, 1, 5, 7), np.uint8, "GRAY", "YUV_NV12"), gray)
    assert buffer.shape == (1, 9, 8, 1)
    assert np.array_equal(taken[:, 0], gray[..., 0])
    even = np.broadcast_to(np.uint8([200, 100, 50]), (1, 4, 6, 3))
    _, taken = feed(port((1, 3, 4, 6), np.uint8, "RGB", "YUV_NV12"), even)
    assert np.abs(taken.astype(int) - even.transpose(0, 3, 1, 2)).max() <= 2


def test_raw_data_are_quantised() -> None:
    values = np.float32([[[[1.3, -2.0]]]])
    one = port((1, 2, 1, 1), np.int16, "RAWDATA_S16_NHWC", "RAWDATA_S16_NHWC")
    assert (one.is_image, one.is_raw, one.expected.dtype) == (False, True, np.float32)
    buffer, taken = feed(one, values)
    assert taken.reshape(-1).tolist() == [2, -4]  # 1.3 / 0.5, truncated
    assert one.pack_buffer(buffer).tobytes() == np.int16([2, -4]).tobytes()
    assert port((1, 2, 1, 1), np.int16, "", "").is_raw
    flat = port((1, 3), np.int16, "RAWDATA_F32_NHWC", "RAWDATA_F32_NHWC")
    assert feed(flat, np.float32([[0.5, 1, -99999]]))[1].tolist() == [[1, 2, -32767]]


def test_what_is_no_image_goes_in_as_it_is() -> None:
    one = port((1, 2, 5, 7), np.uint8, "", "")
    assert (one.is_image, one.is_raw) == (False, False)
    values = np.random.default_rng(0).integers(0, 256, (1, 5, 7, 2), np.uint8)
    assert np.array_equal(feed(one, values)[1], values.transpose(0, 3, 1, 2))
    numbers = InputPort(BoardInput("x", "", ""), TensorInfo("x", (1, 3), np.dtype(np.int64), role="in"))
    assert feed(numbers, np.int64([[1, 2, 3]]))[1].tolist() == [[1, 2, 3]]
