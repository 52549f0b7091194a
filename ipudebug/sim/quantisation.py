"""Ranges of real numbers -> scales, zero points and integers (SPEC 11.1).

==========  ===============================  =====================================  ===============
tensor      scale, float32                   zero point                             integers
==========  ===============================  =====================================  ===============
UINT8       (max - min) / 255                floor(-min 255 / (max - min) + 0.5)    0..255
INT16       max(abs(min), abs(max)) / 32767  0                                      -32768..32767
INT8 / 16   max(abs(min), abs(max)) / 127    0                                      -127..127
weight      or / 32767, per output channel                                          -32767..32767
==========  ===============================  =====================================  ===============
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ipudebug.tensor import QuantParams

UINT8, INT16, INT8, INT32 = (np.dtype(kind) for kind in (np.uint8, np.int16, np.int8, np.int32))
LIMITS = {UINT8: (0, 255), INT16: (-32768, 32767)}
LARGEST = {INT8: 127, INT16: 32767}
"""The largest integer of a weight, and of an INT16 activation's range."""


@dataclass(frozen=True, slots=True)
class Range:
    """The real numbers that a tensor takes: ``low`` <= ``high``, both float32 values."""

    low: float
    high: float

    def join(self, other: Range) -> Range:
        """Return the range that holds both."""
        return Range(min(self.low, other.low), max(self.high, other.high))

    @property
    def largest(self) -> float:
        """The largest absolute value."""
        return max(abs(self.low), abs(self.high))


@dataclass(frozen=True, slots=True)
class TensorQuant:
    """How an activation is stored: ``real = (stored - zero) * scale``.

    Attributes:
        dtype: uint8 or int16.
        scale: a float32 value.
        zero: 0 for int16.
        range: what the scale was made of.
    """

    dtype: np.dtype
    scale: np.float32
    zero: int
    range: Range

    @property
    def limits(self) -> tuple[int, int]:
        """The smallest and the largest integer."""
        return LIMITS[self.dtype]

    @property
    def params(self) -> QuantParams:
        """The same, as tensors carry it."""
        return QuantParams((float(self.scale),), (self.zero,))

    def is_like(self, other: TensorQuant) -> bool:
        """Return whether the same integers stand for the same real numbers."""
        return (self.dtype, self.scale, self.zero) == (other.dtype, other.scale, other.zero)

    def quantise(self, values: np.ndarray | float) -> np.ndarray:
        """Return real numbers as integers: floor(x / scale + 0.5) + zero point, clipped."""
        steps = np.floor(np.asarray(values, np.float64) / np.float64(self.scale) + 0.5) + self.zero
        clipped: np.ndarray = np.clip(steps, *self.limits)
        return clipped.astype(self.dtype)


def make_quant(span: Range, dtype: np.dtype) -> TensorQuant:
    """Return how a tensor of that range is stored.

    Zero must be among its values, so a UINT8 range that lies on one side of it is widened. A tensor that is always zero
    is given the range 0..1: any scale will do.
    """
    low, high = np.float32(span.low), np.float32(span.high)
    if dtype == UINT8:
        low, high = min(low, np.float32(0)), max(high, np.float32(0))
    if low == high == 0:
        high = np.float32(1)
    span = Range(float(low), float(high))
    if dtype == INT16:
        return TensorQuant(dtype, np.float32(np.float32(span.largest) / np.float32(LARGEST[INT16])), 0, span)
    scale = np.float32((high - low) / np.float32(255))
    zero = int(np.floor(-span.low * 255 / (span.high - span.low) + 0.5))
    return TensorQuant(dtype, scale, zero, span)


@dataclass(frozen=True)
class WeightQuant:
    """A convolution's weights as they are stored.

    Attributes:
        values: int8 or int16, first axis the output channels.
        scales: float32, one per output channel.
        low, high: the ranges that the scales were made of, float32, one per output channel.
    """

    values: np.ndarray
    scales: np.ndarray
    low: np.ndarray
    high: np.ndarray


def measure_weights(weights: np.ndarray, per_channel: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the smallest and the largest weight of each output channel (axis 0), or of all."""
    rows = weights.reshape(len(weights) if per_channel else 1, -1)
    low, high = rows.min(axis=1), rows.max(axis=1)
    return np.broadcast_to(low, len(weights)), np.broadcast_to(high, len(weights))


def scale_weights(low: np.ndarray, high: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return the scale of each output channel, float32; a channel of zeros has the largest scale of the others."""
    largest = np.maximum(np.abs(low), np.abs(high)).astype(np.float32)
    scales = (largest / np.float32(LARGEST[dtype])).astype(np.float32)
    tiny = scales < np.finfo(np.float32).tiny
    filled: np.ndarray = np.where(tiny, scales.max() if not tiny.all() else np.float32(1), scales)
    return filled.astype(np.float32)


def quantise_weights(weights: np.ndarray, scales: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return clip(round(weight / scale)), the first axis being the output channels.

    The quotient is one of float32 and a half is rounded away from zero: with 16 bits there are such quotients, and the
    vendor's files show it.
    """
    quotients = weights.astype(np.float32) / scales.reshape(-1, *[1] * (weights.ndim - 1))
    steps = quotients.astype(np.float64)
    steps += np.copysign(0.5, quotients)
    np.trunc(steps, out=steps)
    limit = LARGEST[dtype]
    np.clip(steps, -limit, limit, out=steps)
    stored: np.ndarray = steps.astype(dtype)
    return stored
