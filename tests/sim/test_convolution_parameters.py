"""Shifts, multipliers and biases of a convolution stand for its real numbers, switched-off channels included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipudebug.sim.convolution_parameters import ROOM, derive_convolution
from ipudebug.sim.kernels import KERNELS
from ipudebug.sim.quantisation import INT8, INT16, UINT8, Range, TensorQuant, make_quant, measure_weights


def run(
    weights: np.ndarray, bias: np.ndarray, x_type: np.dtype, y_type: np.dtype, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, TensorQuant]:
    """Return float result, dequantised kernel result and the output's quantisation of a 1x1 convolution."""
    x = np.random.default_rng(seed).uniform(-1, 2, (1, weights.shape[3], 6, 6)).astype(np.float32)
    y = np.einsum("oi,nihw->nohw", weights[:, 0, 0], x) + bias.reshape(1, -1, 1, 1)
    source = make_quant(Range(float(x.min()), float(x.max())), x_type)
    made = make_quant(Range(float(y.min()), float(y.max())), y_type)
    derived = derive_convolution(
        weights, bias, source, made, INT16 if x_type == INT16 else INT8,
        weight_range=measure_weights(weights, True), channel_range=(y.min(axis=(0, 2, 3)), y.max(axis=(0, 2, 3))),
    )  # fmt: skip
    assert np.abs(derived.bias.astype(int)).max() <= ROOM
    assert derived.pre >= 0
    arrays = [source.quantise(x), derived.weights.values, derived.bias, derived.multiplier]
    attributes = {
        "dtype": made.dtype.name,
        "layout": "NCHW",
        "x_zero": source.zero,
        "pre": derived.pre,
        "post": derived.post,
    }
    (found,) = KERNELS["CONV_2D"].compute(arrays, attributes)
    return y, (found.astype(np.float64) - made.zero) * float(made.scale), made


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 1000), st.sampled_from([UINT8, INT16]), st.sampled_from([UINT8, INT16]))
def test_the_kernel_computes_the_convolution(seed: int, x_type: np.dtype, y_type: np.dtype) -> None:
    random = np.random.default_rng(seed)
    weights = (random.standard_normal((5, 1, 1, 8)) * random.uniform(0.05, 2, (5, 1, 1, 1))).astype(np.float32)
    y, found, made = run(weights, random.standard_normal(5).astype(np.float32), x_type, y_type, seed)
    span = made.range.high - made.range.low
    assert np.abs(found - y).max() / span < (0.002 if x_type == y_type == INT16 else 0.02)


@pytest.mark.parametrize("y_type", [UINT8, INT16])
@pytest.mark.parametrize("size", [0.0, 1e-9, 1e-5])
def test_a_channel_that_is_switched_off_spoils_no_other(size: float, y_type: np.dtype) -> None:
    random = np.random.default_rng(1)
    weights = random.standard_normal((5, 1, 1, 8)).astype(np.float32)
    weights[2] *= np.float32(size)
    bias = np.array([0.1, -0.2, 1.5, 0.0, 0.3], np.float32)
    y, found, made = run(weights, bias, UINT8, y_type)
    span = made.range.high - made.range.low
    assert np.abs(found - y).max() / span < 0.02
