"""Exact sums of products of integers as float32 convolutions of onnxruntime.

A float32 sum of integers is exact in whatever order it is made as long as no partial sum exceeds 2^24. A convolution is
therefore cut into terms for which that is proven from the weights:

- 16-bit operands are two balanced digits to the base 256, which gives up to four terms;
- if the weights of a term are still too large, they are dealt out to several, each with zeros where the others have
  values.

ConvInteger would do 8 bits in one go, but its U8 x S8 products saturate on processors with AVX2 and no VNNI, and it was
not faster where that does not happen.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ipudebug.sim.kernels.convolution import Convolution
from ipudebug.sim.kernels.formula import Formula, Value

LIMIT = 1 << 24
"""Float32 has every integer up to here."""
DIGIT = (-128, 128)
"""Range of the digits of 16-bit integers."""
BASE = 256


@dataclass(frozen=True, slots=True)
class Term:
    """One float32 convolution: its weights are integers, to be multiplied by a power of two.

    Attributes:
        place: of the digit of x that it takes, 0 for the low one.
        shift: of its sums.
        weights: integers [O, I, kh, kw].
    """

    place: int
    shift: int
    weights: np.ndarray


@dataclass(frozen=True, slots=True)
class Terms:
    """How a convolution's sums are put together: sum(x w) = sum(term * 2^shift) + offset.

    Attributes:
        parts: the terms.
        zero: what is taken off x, so that padding is zero.
        offset: int64 [O], what that takes off the sums.
        limit: what no partial sum of a single part exceeds, the offset included; infinite where there are several.
        low, high: the least and the largest value of sum(x w) for any x, int64 [O].
    """

    parts: tuple[Term, ...]
    zero: int
    offset: np.ndarray
    limit: float
    low: np.ndarray
    high: np.ndarray

    @property
    def has_offset(self) -> bool:
        """Whether the single part can take the offset as its bias."""
        return self.limit <= LIMIT


def plan_terms(convolution: Convolution) -> Terms:
    """Return the terms of a convolution."""
    weights, info = convolution.weights, np.iinfo(convolution.x.dtype)
    is_byte = convolution.x.dtype.itemsize == 1
    positive, negative = _sum_signs(weights)
    zero = convolution.x_zero if any(convolution.window.pads) else 0
    offset = (positive - negative) * zero
    low, high = (-zero, 255 - zero) if is_byte else DIGIT
    largest = _find_largest_sum(positive, negative, low, high)
    if is_byte and weights.dtype.itemsize == 1 and largest <= LIMIT:
        parts = [Term(0, 0, weights)]
    else:
        parts = [
            Term(place, shift + 8 * place, share)
            for place in range(convolution.x.dtype.itemsize)
            for shift, digit in _split_weights(weights)
            for share in _deal_out(digit, low, high)
        ]
    return Terms(
        tuple(parts),
        zero,
        offset,
        largest + int(np.abs(offset).max()) if len(parts) == 1 else np.inf,
        positive * int(info.min) - negative * int(info.max),
        positive * int(info.max) - negative * int(info.min),
    )


def express_terms(convolution: Convolution, terms: Terms, x: str, factor: float, formula: Formula) -> list[str]:
    """Append the terms times ``factor``, a power of two; see ``has_offset``."""
    values, window = formula.cast(x, np.float32), convolution.window
    if terms.zero:
        values = formula.add("Sub", values, np.float32(terms.zero))
    digits = [values] if convolution.x.dtype.itemsize == 1 else _split_digits(values, formula)
    attributes = {
        "kernel_shape": window.kernel,
        "strides": window.strides,
        "dilations": window.dilations,
        "pads": window.pads,
        "group": convolution.groups,
    }
    names = []
    for part in terms.parts:
        # onnxruntime does both when it opens the session: integers are smaller to hand over.
        weights = formula.cast(np.ascontiguousarray(part.weights), np.float32)
        weights = formula.add("Mul", weights, np.float32(factor * 2.0**part.shift))
        inputs: list[Value] = [digits[part.place], weights]
        if terms.has_offset and terms.offset.any():
            inputs.append((terms.offset * factor).astype(np.float32))
        names.append(formula.add("Conv", *inputs, **attributes))
    return names


def _split_digits(values: str, formula: Formula) -> list[str]:
    """Append the two digits of 16-bit integers in float32, the low one first; their values are -128..128."""
    scaled = formula.add("Round", formula.add("Mul", values, np.float32(1 / BASE)))
    return [formula.add("Sub", values, formula.add("Mul", scaled, np.float32(BASE))), scaled]


def _split_weights(weights: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Return (shift, digits); the sum of digit * 2^shift is ``weights``, int8 or int16."""
    if weights.dtype.itemsize == 1:
        return [(0, weights)]
    high = (weights.astype(np.int32) + BASE // 2) >> 8
    return [(0, (weights - (high << 8)).astype(np.int16)), (8, high.astype(np.int16))]


def _deal_out(weights: np.ndarray, low: int, high: int) -> list[np.ndarray]:
    """Return arrays that add up to ``weights``; with inputs in low..high no partial sum of either exceeds 2^24."""
    flat = weights.reshape(len(weights), -1)
    for parts in range(1, flat.shape[1] + 1):
        edges = np.linspace(0, flat.shape[1], parts + 1).astype(int)
        spans = [slice(start, stop) for start, stop in pairwise(edges)]
        if all(_find_largest_sum(*_sum_signs(flat[:, span]), low, high) <= LIMIT for span in spans):
            break
    if parts == 1:
        return [weights]
    shares = [np.zeros_like(flat) for _ in spans]
    for share, span in zip(shares, spans, strict=True):
        share[:, span] = flat[:, span]
    return [share.reshape(weights.shape) for share in shares]


def _sum_signs(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sums of the positive and of the negative weights of each row, both without sign, int64."""
    flat = weights.reshape(len(weights), -1)
    is_small = flat.dtype.itemsize == 1 and flat.shape[1] < LIMIT >> 7
    rows = flat.astype(np.float32 if is_small else np.float64)  # exact: below 2^24, or 2^53
    total = rows.sum(axis=1).astype(np.int64)
    magnitude = np.abs(rows, out=rows).sum(axis=1).astype(np.int64)
    return (magnitude + total) >> 1, (magnitude - total) >> 1


def _find_largest_sum(positive: np.ndarray, negative: np.ndarray, low: int, high: int) -> int:
    """Return the largest absolute value that a partial sum of one row times inputs in low..high can take."""
    above, below = max(high, 0), max(-low, 0)
    return int(np.maximum(positive * above + negative * below, negative * above + positive * below).max())
