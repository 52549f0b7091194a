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


def take_view(sample: Tensor, benchmark: Tensor, limit: int = EVERYTHING) -> View:
    """Return a view of a pair as ``lay_over`` made it, of about ``limit`` elements.

    A larger tensor gives a lattice of its rows and columns, all channels of each, borders included; of a batch the
    first. The shape is the benchmark's where the sample's dump has none.
    """
    info = sample.info if len(sample.info.shape) > 1 else benchmark.info
    first, second = (_as_nhwc(tensor.array.reshape(info.shape), info.layout) for tensor in (sample, benchmark))
    if first.size > limit and first.shape[0] > 1:
        first, second = first[:1], second[:1]
    _, height, width, channels = first.shape
    rows, columns = np.arange(height), np.arange(width)
    if first.size > limit and channels > limit // 16:
        keep = slice(0, channels, -(-channels * 16 // limit))
        first, second = first[..., keep], second[..., keep]
        channels = first.shape[3]
    if first.size > limit:
        count = max(limit // channels, 16)
        if width == 1:
            rows = _spread(height, count)
        else:
            side = max(4, math.isqrt(count))
            rows, columns = _spread(height, side), _spread(width, max(4, count // min(side, height)))
        first, second = (array[:, rows][:, :, columns] for array in (first, second))
    a, b = (np.ascontiguousarray(array, np.float64) for array in (first, second))
    return View(a, b, rows, columns, height, width, len(info.shape) == 4 and height > 1 and width > 1)


def _as_nhwc(array: np.ndarray, layout: Layout | None) -> np.ndarray:
    """Return an array of any shape as a view [N, H, W, C]."""
    if array.ndim == 4:
        return array.transpose(0, 2, 3, 1) if layout is Layout.NCHW else array
    if array.ndim < 2:
        return array.reshape(1, -1, 1, 1)
    return array.reshape(1, -1, 1, array.shape[-1])


def _spread(size: int, count: int) -> np.ndarray:
    """Return at most ``count`` of the numbers below ``size``, evenly spread, the first and the last among them."""
    if count >= size:
        return np.arange(size)
    return np.unique(np.linspace(0, size - 1, count).round().astype(np.intp))
