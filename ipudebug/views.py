"""A pair and its fit -> two tensors of equal size, element over element. Nothing is copied."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ipudebug.align import Fit
from ipudebug.tensor import Tensor

_FROM_NCHW = (0, 2, 3, 1)
_FROM_NHWC = (0, 3, 1, 2)


def lay_over(sample: Tensor, benchmark: Tensor, fit: Fit) -> tuple[Tensor, Tensor, str]:
    """Return sample and benchmark as their fit wants them, and a note on what the data decided ("" if nothing).

    Fit.EITHER_LAYOUT comes back as stored: see ``transpositions``.
    """
    if fit is Fit.BENCHMARK_FROM_NCHW:
        return sample, transpose(benchmark, _FROM_NCHW), ""
    if fit is Fit.BENCHMARK_FROM_NHWC:
        return sample, transpose(benchmark, _FROM_NHWC), ""
    if fit is Fit.SAMPLE_FOUR_CHANNELS:
        sample, note = _three_channels(sample)
        return sample, benchmark, note
    if fit is Fit.BENCHMARK_FOUR_CHANNELS:
        benchmark, note = _three_channels(benchmark)
        return sample, benchmark, note
    return sample, benchmark, ""


def transpositions(benchmark: Tensor) -> list[tuple[Tensor, str]]:
    """Return a cubic benchmark read as the other layout, both ways, each with the note to show if it is taken."""
    note = "H = W = C: benchmark taken as {} and transposed to {}, which fits better"
    return [
        (transpose(benchmark, _FROM_NHWC), note.format("NHWC", "NCHW")),
        (transpose(benchmark, _FROM_NCHW), note.format("NCHW", "NHWC")),
    ]


def transpose(tensor: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Return a view of a tensor with its dimensions in another order."""
    array = tensor.array.transpose(axes)
    return Tensor(replace(tensor.info, shape=array.shape, layout=None), array)


def _three_channels(tensor: Tensor) -> tuple[Tensor, str]:
    """Return the three colours of a board input of four channels, and which of the two ways it holds them.

    An RGB input has its H*W*3 pixels packed at the beginning of a buffer for H*W*4, whose tail is constant; an RGBA or
    BGRA input has a fourth byte after each pixel.
    """
    flat = tensor.array.reshape(-1)
    used = flat.size // 4 * 3
    if flat.size and bool((flat[used:] == flat[used]).all()):
        array, note = flat[:used], "packed RGB: the constant tail was left out"
    else:
        array, note = flat.reshape(-1, 4)[:, :3], "RGBA: every fourth value was left out"
    return Tensor(replace(tensor.info, shape=np.shape(array), layout=None), array), note
