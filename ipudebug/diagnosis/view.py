"""A pair of tensors -> two float64 arrays [N, H, W, C] that statistics can be taken of."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ipudebug.tensor import Layout, Tensor

EVERYTHING = 1 << 62


@dataclass(frozen=True, slots=True)
class View:
    """Sample ``a`` and benchmark ``b``, float64 [N, H, W, C], or some rows and columns of them.

    Attributes:
        rows, columns: which rows and columns of the tensor the view holds, ascending; first and last are among them.
        height, width: of the tensor itself.
        is_spatial: H and W are those of a feature map; otherwise what stands before the channels lies along H.
    """

    a: np.ndarray
    b: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    height: int
    width: int
    is_spatial: bool

    @property
    def channels(self) -> int:
        """How many channels there are; 1 where the shape is not known."""
        return int(self.a.shape[3])

    @property
    def positions(self) -> int:
        """How many elements of each channel the view holds."""
        return self.a.size // max(self.channels, 1)

    @property
    def is_lattice(self) -> bool:
        """Whether the view holds some rows or columns only: neighbours in it are none in the tensor."""
        return self.rows.size < self.height or self.columns.size < self.width

    def flat(self) -> tuple[np.ndarray, np.ndarray]:
        """Return both as [positions, channels]."""
        return self.a.reshape(-1, self.channels), self.b.reshape(-1, self.channels)


@dataclass(frozen=True, slots=True)
class Lattice:
    """Which elements of a tensor [N, H, W, C] a view holds.

    Attributes:
        pictures: how many of a batch.
        rows, columns: ascending; first and last are among them.
        channels: which channels.
        is_whole: whether the rows and columns are all there are.
    """

    pictures: int
    rows: np.ndarray
    columns: np.ndarray
    channels: slice
    is_whole: bool

    def take(self, array: np.ndarray) -> np.ndarray:
        """Return its elements of an array [N, H, W, C]."""
        array = array[: self.pictures, ..., self.channels]
        return array if self.is_whole else array[:, self.rows[:, np.newaxis], self.columns]


def choose_lattice(extent: tuple[int, ...], limit: int) -> Lattice:
    """Return about ``limit`` elements of a tensor [N, H, W, C]: of a batch the first, then fewer channels or pixels."""
    pictures, height, width, channels = extent
    if math.prod(extent) > limit:
        pictures = min(pictures, 1)
    step = 1
    if pictures * height * width * channels > limit and channels > limit // 16:
        step = -(-channels * 16 // limit)
        channels = len(range(0, channels, step))
    rows, columns = np.arange(height), np.arange(width)
    if pictures * height * width * channels > limit:
        count = max(limit // channels, 16)
        if width == 1:
            rows = _spread(height, count)
        else:
            side = max(4, math.isqrt(count))
            rows, columns = _spread(height, side), _spread(width, max(4, count // min(side, height)))
    is_whole = rows.size == height and columns.size == width
    return Lattice(pictures, rows, columns, slice(None, None, step), is_whole)


def take_view(sample: Tensor, benchmark: Tensor, limit: int = EVERYTHING) -> View:
    """Return a view of a pair as ``lay_over`` made it, of about ``limit`` elements.

    A larger tensor gives a lattice of its rows and columns, all channels of each, borders included; of a batch the
    first. The shape is the benchmark's where the sample's dump has none.
    """
    shape, layout = find_shape(sample, benchmark)
    first, second = (lay_out(tensor.array.reshape(1, *shape), layout)[0] for tensor in (sample, benchmark))
    _, height, width, _ = first.shape
    lattice = choose_lattice(first.shape, limit)
    a, b = (np.ascontiguousarray(lattice.take(array), np.float64) for array in (first, second))
    is_spatial = len(shape) == 4 and height > 1 and width > 1
    return View(a, b, lattice.rows, lattice.columns, height, width, is_spatial)


def find_shape(sample: Tensor, benchmark: Tensor) -> tuple[tuple[int, ...], Layout | None]:
    """Return shape and layout of a pair: the sample's, or the benchmark's where the sample's dump has none."""
    info = sample.info if len(sample.info.shape) > 1 else benchmark.info
    return info.shape, info.layout


def lay_out(arrays: np.ndarray, layout: Layout | None) -> np.ndarray:
    """Return k arrays of any shape, [k, ...], as a view [k, N, H, W, C]."""
    if arrays.ndim == 5:
        return arrays.transpose(0, 1, 3, 4, 2) if layout is Layout.NCHW else arrays
    if arrays.ndim < 3:
        return arrays.reshape(len(arrays), 1, -1, 1, 1)
    return arrays.reshape(len(arrays), 1, -1, 1, arrays.shape[-1])


def _spread(size: int, count: int) -> np.ndarray:
    """Return at most ``count`` of the numbers below ``size``, evenly spread, the first and the last among them."""
    if count >= size:
        return np.arange(size)
    spread: np.ndarray = np.linspace(0, size - 1, count).round().astype(np.intp)  # more than 1 apart: no two are equal
    return spread
