"""What a convolution is given beside its weights: shifts, multipliers, biases, derived as the vendor does (SPEC 11.2).

With s the scales and M_c = s_x s_w[c] / s_y::

    e_c               = bias[c] / (s_x s_w[c]) - x_zero sum(w_q[c]) + y_zero / M_c
    pre + post, mult  : the normalised multiplier of all M_c
    pre               = ceil(log2(max(A, E) / 8192)), at least 0
    bias16[c]         = e_c / 2^pre, a half away from zero

E is the largest |e_c|, A the largest raw accumulator that calibration saw. The weights of a channel that are tiny
beside its bias (a batch norm that switches a channel off leaves such) would make E so large that all channels lose
their lowest bits; the vendor's rule has no answer to that, here the channel's scale is raised until |e_c| <= 4 A.

Where it is known what the convolution reads, weights and bias are compensated (``compensation``); all else stays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ipudebug.sim.compensation.balance import find_factors
from ipudebug.sim.compensation.bias import correct_bias
from ipudebug.sim.compensation.moments import Expected
from ipudebug.sim.compensation.rounding import round_weights
from ipudebug.sim.kernels.multiplier import normalise
from ipudebug.sim.quantisation import INT16, LARGEST, TensorQuant, WeightQuant, quantise_weights, scale_weights

ROOM = 8192
"""What accumulators and biases are kept below once they are shifted."""
EXCESS = 4
"""How many times the largest accumulator a bias may be before its channel's scale is raised."""


@dataclass(frozen=True)
class ConvolutionParameters:
    """Weights and constants of one convolution, as its kernel takes them.

    Attributes:
        weights: with output channels first, and their scales.
        bias: bias16, int16, one per output channel.
        multiplier: mult16, int16.
        pre, post: the two shifts.
    """

    weights: WeightQuant
    bias: np.ndarray
    multiplier: np.ndarray
    pre: int
    post: int


def derive_convolution(
    weights: np.ndarray,
    bias: np.ndarray,
    x: TensorQuant,
    y: TensorQuant,
    dtype: np.dtype,
    *,
    weight_range: tuple[np.ndarray, np.ndarray],
    channel_range: tuple[np.ndarray, np.ndarray],
    expected: Expected | None = None,
    balanced: bool = False,
    pre: int | None = None,
) -> ConvolutionParameters:
    """Return the parameters of one convolution.

    Args:
        weights: float32 [O, ...].
        bias: float32 [O].
        x: how the input is stored.
        y: how the output is stored.
        dtype: of the weights, int8 or int16.
        weight_range: smallest and largest weight of each output channel, as ``measure_weights`` gives them.
        channel_range: smallest and largest value of each channel of its own output, before any activation.
        expected: what the weights are multiplied with, to compensate; None rounds them to the nearest and no more.
        balanced: whether INT16 weights give up bits for sums of like size.
        pre: known already; None derives it.
    """
    low, high = weight_range

    def store(scales: np.ndarray) -> _Stored:
        return _store(weights, bias, scales, x, y, dtype, channel_range, expected)

    stored = store(scale_weights(low, high, dtype))
    if balanced and dtype == INT16:
        factors = find_factors(np.maximum(stored.sums, np.abs(stored.biases)))
        low, high = low * factors, high * factors
        stored = store(scale_weights(low, high, dtype))
    constant, largest = np.abs(_find_constant(stored.bias, stored.scales, x, y)), float(stored.sums.max())
    if constant.max() > EXCESS * largest > 0:
        raised = stored.scales.astype(np.float64) * np.maximum(1.0, constant / (EXCESS * largest))
        stored = store(raised.astype(np.float32))
    scales, biases = stored.scales, stored.biases
    multiplier, shift = normalise(scales.astype(np.float64) * float(x.scale) / float(y.scale))
    if pre is None:
        bound = max(float(stored.sums.max()), float(np.abs(biases).max()))
        pre = max(0, math.ceil(math.log2(bound / ROOM))) if bound > 0 else 0
    shifted = biases / 2.0**pre
    bias16 = np.clip(np.copysign(np.floor(np.abs(shifted) + 0.5), shifted), -32768, 32767).astype(np.int16)
    quant = WeightQuant(stored.values, scales, low.astype(np.float32), high.astype(np.float32))
    return ConvolutionParameters(quant, bias16, multiplier.astype(np.int16), pre, shift - pre)


@dataclass(frozen=True)
class _Stored:
    """Weights with scales that are being tried.

    Attributes:
        values, scales: of the weights.
        bias: float32, corrected if it is compensated.
        biases: e_c of each channel.
        sums: the largest raw accumulator of each channel that calibration saw; A is the largest of them.
    """

    values: np.ndarray
    scales: np.ndarray
    bias: np.ndarray
    biases: np.ndarray
    sums: np.ndarray


def _store(
    weights: np.ndarray, bias: np.ndarray, scales: np.ndarray, x: TensorQuant, y: TensorQuant, dtype: np.dtype,
    channel_range: tuple[np.ndarray, np.ndarray], expected: Expected | None,
) -> _Stored:  # fmt: skip
    """Return what becomes of weights and bias with some scales."""
    if expected is None or expected.covariance is None:
        values = quantise_weights(weights, scales, dtype)
    else:
        steps = weights.reshape(len(weights), -1) / scales.astype(np.float64)[:, np.newaxis]
        values = round_weights(steps, expected.covariance, LARGEST[dtype]).reshape(weights.shape).astype(dtype)
    if expected is not None:
        bias = correct_bias(bias, weights, values, scales, expected.mean)
    share = x.zero * values.reshape(len(values), -1).sum(axis=1, dtype=np.int64)
    unit = scales.astype(np.float64) * float(x.scale)
    sums = np.maximum(*(np.abs((edge.astype(np.float64) - bias) / unit + share) for edge in channel_range))
    return _Stored(values, scales, bias, _find_constant(bias, scales, x, y) - share, sums)


def _find_constant(bias: np.ndarray, scales: np.ndarray, x: TensorQuant, y: TensorQuant) -> np.ndarray:
    """Return bias and output zero point in units of the accumulators of each channel."""
    unit = scales.astype(np.float64) * float(x.scale)
    constant: np.ndarray = (bias.astype(np.float64) + y.zero * float(y.scale)) / unit
    return constant
