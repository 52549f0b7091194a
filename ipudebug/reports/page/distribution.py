"""A pair of tensors -> how its values are distributed and where its error is, in bounded memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ipudebug.comparison import LayerResult
from ipudebug.tensor import Layout

BINS = 64
"""Largest number of bars in a histogram: about two roots of the number of elements."""
CELLS = 48
"""Largest number of rows, and of columns, of an error map: larger maps are averaged down to it."""
STRIPES = 128
_FEWEST = 10
_CHUNK = 1 << 16
_WIDEST = float(np.finfo(np.float64).max) / 4  # a wider range would overflow; float32 is far from it


@dataclass(frozen=True, slots=True)
class Distribution:
    """What the two sides of one layer look like.

    Attributes:
        low, high: the finite range of both sides together; equal if there is no finite value.
        sample, benchmark: up to BINS counts each of the values in that range.
        places: mean |sample - benchmark| over the channels, by row and column of the feature map; None for a vector.
        channels: mean |sample - benchmark| a channel (or group of neighbouring channels).
        extent: rows, columns and channels before they were averaged down.
    """

    low: float
    high: float
    sample: np.ndarray
    benchmark: np.ndarray
    places: np.ndarray | None
    channels: np.ndarray
    extent: tuple[int, int, int]


def measure_distribution(row: LayerResult) -> Distribution:
    """Return the distribution of a compared row; its tensors are read twice, chunk by chunk."""
    rows, columns, channels, is_first = find_extent(row)
    low, high = _find_range(row)
    bins = min(BINS, max(_FEWEST, math.ceil(2 * math.sqrt(row.sample.info.size))))
    counts = np.zeros((2, bins), np.int64)
    place_sums, place_counts = np.zeros((2, min(rows, CELLS) * min(columns, CELLS)))
    channel_sums, channel_counts = np.zeros((2, min(channels, STRIPES)))
    for start, sides in _read_chunks(row):
        with np.errstate(all="ignore"):
            error = np.abs(sides[0] - sides[1])
        for side in (0, 1):
            finite = sides[side][np.isfinite(sides[side])]
            if high > low:
                bar = np.minimum(((finite - low) / (high - low) * bins).astype(np.intp), bins - 1)
                counts[side] += np.bincount(bar, minlength=bins)
        at = np.arange(start, start + error.size)
        y, x, c = _locate(at, (rows, columns, channels), is_first)
        cell = y * min(rows, CELLS) // rows * min(columns, CELLS) + x * min(columns, CELLS) // columns
        place_sums += np.bincount(cell, error, place_sums.size)
        place_counts += np.bincount(cell, minlength=place_sums.size)
        stripe = c * min(channels, STRIPES) // channels
        channel_sums += np.bincount(stripe, error, channel_sums.size)
        channel_counts += np.bincount(stripe, minlength=channel_sums.size)
    places = (place_sums / np.maximum(place_counts, 1)).reshape(min(rows, CELLS), min(columns, CELLS))
    return Distribution(
        low, high, counts[0], counts[1], places if rows * columns > 1 else None,
        channel_sums / np.maximum(channel_counts, 1), (rows, columns, channels),
    )  # fmt: skip


def find_extent(row: LayerResult) -> tuple[int, int, int, bool]:
    """Return rows, columns and channels of a layer, and whether the channels come first.

    Dimensions before the last three count as rows, a matrix has one channel, a vector is all channels. A side without
    a shape takes that of the other.
    """
    info = (row.benchmark if len(row.sample.info.shape) <= 1 else row.sample).info
    shape = info.shape
    if len(shape) == 4 and info.layout is Layout.NCHW:
        return shape[2], shape[3], shape[1], True
    if len(shape) > 2:
        return math.prod(shape[:-2]), shape[-2], shape[-1], False
    if len(shape) == 2 and 1 not in shape:
        return shape[0], shape[1], 1, False
    return 1, 1, info.size, False


def _locate(at: np.ndarray, extent: tuple[int, int, int], is_first: bool) -> tuple[np.ndarray, ...]:
    """Return row, column and channel of the elements at flat positions."""
    rows, columns, channels = extent
    if is_first:
        return at // columns % rows, at % columns, at // (columns * rows) % channels
    return at // (channels * columns), at // channels % columns, at % channels


def _find_range(row: LayerResult) -> tuple[float, float]:
    """Return the smallest and the largest finite value of both sides; (0, 0) if there is none."""
    low, high = np.inf, -np.inf
    for _, sides in _read_chunks(row):
        finite = sides[np.isfinite(sides)]
        low, high = min(low, finite.min(initial=np.inf)), max(high, finite.max(initial=-np.inf))
    if low > high or high / 2 - low / 2 > _WIDEST:
        return 0.0, 0.0
    if low == high:
        half = max(0.5, abs(float(low)) / 100)
        return float(low) - half, float(high) + half
    return float(low), float(high)


def _read_chunks(row: LayerResult) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the place of each chunk and its elements: float64, sample in row 0, benchmark in row 1."""
    size = row.sample.info.size
    for start in range(0, size, _CHUNK):
        sides = np.empty((2, min(_CHUNK, size - start)))
        row.sample.copy_into(sides[0], start)
        row.benchmark.copy_into(sides[1], start)
        yield start, sides
