from __future__ import annotations

import numpy as np
import pytest

from ipudebug.align import Fit
from ipudebug.views import lay_over, transpositions
from tests.metrics.pairs import tensor

RNG = np.random.default_rng(2)


def values(shown) -> np.ndarray:
    out = np.empty(shown.info.size, "f8")
    shown.copy_into(out, 0)
    return out


def test_tensors_that_fit_are_passed_on_as_they_are():
    a, b = tensor([1, 2]), tensor([3, 4])
    assert lay_over(a, b, Fit.AS_STORED) == (a, b, "")
    assert lay_over(a, b, Fit.EITHER_LAYOUT) == (a, b, "")
    assert lay_over(a, b, Fit.NONE) == (a, b, "")


def test_a_benchmark_is_transposed_to_the_samples_layout_element_by_element():
    nhwc = RNG.normal(size=(2, 4, 5, 6)).astype("f4")
    nchw = np.empty((2, 6, 4, 5), "f4")
    for n, h, w, c in np.ndindex(2, 4, 5, 6):
        nchw[n, c, h, w] = nhwc[n, h, w, c]
    _, turned, note = lay_over(tensor(nhwc), tensor(nchw), Fit.BENCHMARK_FROM_NCHW)
    assert (turned.info.shape, note) == ((2, 4, 5, 6), "")
    assert values(turned).tolist() == nhwc.ravel().tolist()
    _, turned, _ = lay_over(tensor(nchw), tensor(nhwc), Fit.BENCHMARK_FROM_NHWC)
    assert turned.info.shape == (2, 6, 4, 5)
    assert values(turned).tolist() == nchw.ravel().tolist()


def test_nothing_is_copied():
    cube = tensor(RNG.normal(size=(1, 3, 3, 3)))
    for turned, _ in transpositions(cube):
        assert np.shares_memory(turned.array, cube.array)


def test_a_cube_is_tried_both_ways():
    array = RNG.normal(size=(1, 3, 3, 3)).astype("f4")
    (to_nchw, first), (to_nhwc, second) = transpositions(tensor(array))
    for n, h, w, c in np.ndindex(1, 3, 3, 3):
        assert to_nchw.array[n, c, h, w] == array[n, h, w, c]
        assert to_nhwc.array[n, h, w, c] == array[n, c, h, w]
    assert first == "H = W = C: benchmark taken as NHWC and transposed to NCHW, which fits better"
    assert second == "H = W = C: benchmark taken as NCHW and transposed to NHWC, which fits better"


RGB = RNG.integers(0, 255, (6, 5, 3)).astype("f4")


@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize("side", ["sample", "benchmark"])
@pytest.mark.parametrize(
    ("kind", "note"),
    [("RGBA", "RGBA: every fourth value was left out"), ("packed", "packed RGB: the constant tail was left out")],
)
def test_the_three_colours_are_taken_out_of_a_board_input(kind, note, side, flat):
    if kind == "RGBA":
        board = np.concatenate([RGB, np.full((6, 5, 1), 255, "f4")], axis=2)
    else:
        board = np.concatenate([RGB.ravel(), np.full(30, -1, "f4")]).reshape(6, 5, 4)
    four, three = tensor(board.ravel() if flat else board[None]), tensor(RGB[None])
    if side == "sample":
        shown, other, told = lay_over(four, three, Fit.SAMPLE_FOUR_CHANNELS)
    else:
        other, shown, told = lay_over(three, four, Fit.BENCHMARK_FOUR_CHANNELS)
    assert other is three
    assert (values(shown).tolist(), told) == (RGB.ravel().tolist(), note)
    assert shown.info.size == three.info.size


def test_a_tail_of_nan_is_not_constant():
    board = np.concatenate([RGB.ravel(), np.full(30, np.nan, "f4")])
    assert lay_over(tensor(board), tensor(RGB), Fit.SAMPLE_FOUR_CHANNELS)[2].startswith("RGBA")
