"""Board formats against the formulas of the format, evaluated pixel by pixel in exact fractions."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ipudebug.config.input_formats import INPUT_FORMATS, RAW
from ipudebug.inputs.formats import CHANNELS, convert_image, decode_nv12, pack_buffer, quantise_raw

PAIRS = [(training, board) for board, sources in INPUT_FORMATS.items() if board not in RAW for training in sources]
SIZES = st.tuples(st.integers(1, 2), st.integers(1, 5), st.integers(1, 5))


def images(training: str) -> st.SearchStrategy[np.ndarray]:
    return SIZES.flatmap(lambda size: arrays(np.uint8, (*size, len(CHANNELS[training]))))


@pytest.mark.parametrize(("training", "board"), [pair for pair in PAIRS if pair[1] != "YUV_NV12"])
@given(data=st.data())
def test_every_channel_keeps_its_colour(training: str, board: str, data: st.DataObject) -> None:
    image = data.draw(images(training))
    converted = convert_image(image, training, board)
    assert converted.shape == (*image.shape[:3], len(CHANNELS[board]))
    assert converted.dtype == np.uint8
    for n, y, x in np.ndindex(image.shape[:3]):
        pixel = dict(zip(CHANNELS[training], image[n, y, x].tolist(), strict=True))
        assert converted[n, y, x].tolist() == [pixel.get(channel, 0) for channel in CHANNELS[board]]


def round_half_up(value: Fraction) -> int:
    return min(max(math.floor(value + Fraction(1, 2)), 0), 255)


@pytest.mark.parametrize("training", ["RGB", "BGR"])
@given(data=st.data())
def test_nv12_follows_the_formula(training: str, data: st.DataObject) -> None:
    image = data.draw(images(training))
    count, height, width, _ = image.shape
    rows, columns = height + height % 2, width + width % 2
    found = convert_image(image, training, "YUV_NV12")
    assert found.shape == (count, rows * 3 // 2, columns, 1)
    for n in range(count):

        def pixel(y: int, x: int, n: int = n) -> dict[str, int]:
            values = image[n, min(y, height - 1), min(x, width - 1)].tolist()
            return dict(zip(training, values, strict=True))

        for y, x in np.ndindex(rows, columns):
            p = pixel(y, x)
            assert found[n, y, x, 0] == round_half_up(Fraction(218 * p["R"] + 732 * p["G"] + 74 * p["B"], 1024))
        for y, x in np.ndindex(rows // 2, columns // 2):
            four = [pixel(2 * y + dy, 2 * x + dx) for dy in (0, 1) for dx in (0, 1)]
            for place, (r, g, b) in enumerate([(-117, -395, 512), (512, -465, -47)]):
                mean = sum(Fraction(r * p["R"] + g * p["G"] + b * p["B"], 1024) + 128 for p in four) / 4
                assert found[n, rows + y, 2 * x + place, 0] == round_half_up(mean)


@given(image=images("GRAY"))
def test_gray_nv12_has_only_luma(image: np.ndarray) -> None:
    found = convert_image(image, "GRAY", "YUV_NV12")
    rows = found.shape[1] * 2 // 3
    assert np.array_equal(found[:, : image.shape[1], : image.shape[2]], image)
    assert not found[:, rows:].any()
    assert np.array_equal(decode_nv12(found, "GRAY", *image.shape[1:3]), image)


@pytest.mark.parametrize("training", ["RGB", "BGR"])
@given(data=st.data())
def test_a_single_colour_survives_nv12_within_rounding(training: str, data: st.DataObject) -> None:
    colour = data.draw(arrays(np.uint8, (1, 1, 1, 3)))
    image = np.broadcast_to(colour, (1, 3, 5, 3))
    back = decode_nv12(convert_image(image, training, "YUV_NV12"), training, 3, 5)
    assert back.shape == image.shape
    # Half a step each of Y, U and V, times the largest row sum of the inverse (1 + 1.86), and half a step at the end.
    assert np.abs(back.astype(int) - image.astype(int)).max() <= 2


@pytest.mark.parametrize(
    ("board", "shape", "alignments", "rows", "bytes_in_row"),
    [
        ("RGBA", (1, 2, 3, 4), (16, 1), 2, 16),
        ("BGRA", (1, 2, 4, 4), (16, 4), 2, 16),
        ("GRAY", (1, 3, 5, 1), (8, 2), 4, 8),
        ("RGB", (1, 3, 5, 3), (16, 2), 3, 15),
    ],
)
def test_rows_are_filled_up_with_zeros(board, shape, alignments, rows, bytes_in_row) -> None:
    image = np.arange(1, math.prod(shape) + 1, dtype=np.uint8).reshape(shape)
    packed = pack_buffer(image, board, *alignments)
    assert packed.dtype == np.uint8
    lines = packed.reshape(rows, bytes_in_row).tolist()
    data = image.reshape(shape[1], -1).tolist()
    assert lines == [line + [0] * (bytes_in_row - len(line)) for line in data] + [[0] * bytes_in_row] * (
        rows - len(data)
    )


def test_an_nv12_buffer_aligns_both_planes() -> None:
    image = np.arange(1, 4 * 6 * 3 // 2 + 1, dtype=np.uint8).reshape(1, 6, 6, 1)
    lines = pack_buffer(image, "YUV_NV12", 8, 8).reshape(12, 8)
    assert lines[:4, :6].reshape(-1).tolist() == list(range(1, 25))
    assert lines[8:10, :6].reshape(-1).tolist() == list(range(25, 37))
    assert not lines[4:8].any()
    assert not lines[10:].any()
    assert not lines[:, 6:].any()


def test_raw_data_is_packed_as_it_is() -> None:
    values = np.array([[1, -2], [300, 4]], np.int16)
    assert pack_buffer(values, "RAWDATA_S16_NHWC", 16, 16).tobytes() == values.tobytes()
    assert pack_buffer(np.float32(1.5).reshape(()), "RAWDATA_F32_NHWC").tobytes() == b"\0\0\xc0\x3f"


def test_sixteen_bits_are_truncated_and_clipped_eight_are_rounded() -> None:
    values = np.float32([0.99, -0.99, 1e9, -1e9, np.inf, np.nan, 1.5])
    assert quantise_raw(values, 1.0, 0, np.dtype(np.int16)).tolist() == [0, 0, 32767, -32767, 32767, 0, 1]
    assert quantise_raw(values, 1.0, 100, np.dtype(np.uint8)).tolist() == [101, 99, 255, 0, 255, 100, 102]
