"""From a convolution's accumulators to its output: the shift before the bias, the multiplier and the shift after it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ipudebug.sim.kernels.accumulate import Sums
from ipudebug.sim.kernels.node import Node
from ipudebug.sim.kernels.rounding import pick_width, shift_half_away, shift_half_up
from ipudebug.sim.kernels.slabs import split_slabs


@dataclass(frozen=True, slots=True)
class Requantiser:
    """The second half of a convolution.

    Attributes:
        bias, multiplier: int64, [1, O, 1, 1].
        pre, post: shifts.
        low, high: the range of the result.
    """

    bias: np.ndarray
    multiplier: np.ndarray
    pre: int
    post: int
    low: int
    high: int

    @classmethod
    def read(cls, node: Node, bias: np.ndarray, multiplier: np.ndarray) -> Requantiser:
        """Return the one of a node and its constants bias16 and mult16; raises ModelError."""
        offset, factor = (values.astype(np.int64).reshape(1, -1, 1, 1) for values in (bias, multiplier))
        return cls(offset, factor, node.integer("pre"), node.integer("post"), *node.clip_range)

    def apply(self, sums: Sums, result: np.ndarray) -> None:
        """Write clip(hu((ha(acc, pre) + bias16) mult16, post)) to ``result``, NCHW.

        The product is made in int32 where the values of the slab at hand allow it, else in int64.
        """
        first = pick_width(1 << 24, self.pre) if sums.is_narrow else np.int64
        wide = self.bias, self.multiplier
        narrow = self.bias.astype(np.int32), self.multiplier.astype(np.int32)
        largest_bias, largest_multiplier = (int(np.abs(column).max()) for column in (self.bias, self.multiplier))
        for part in split_slabs(sums.shape):
            values = shift_half_away(sums.gather(part, first), self.pre)
            largest = max(int(values.max()), -int(values.min())) + largest_bias
            width = pick_width(largest * largest_multiplier, self.post)
            offset, factor = (column[:, part[1]] for column in (narrow if width is np.int32 else wide))
            values = values.astype(width, copy=False)
            values += offset
            values *= factor
            result[part] = np.clip(shift_half_up(values, self.post), self.low, self.high)
