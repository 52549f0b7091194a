"""Scales and zero points against the vendor's rules computed with fractions, and what zero and dead tensors become."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipudebug.sim.quantisation import INT8, INT16, UINT8, Range, make_quant, quantise_weights, scale_weights

FLOATS = st.floats(-1e4, 1e4, width=32).filter(lambda value: value == 0 or abs(value) > 1e-3)


def exact(value: float) -> Fraction:
    return Fraction(float(value))


@given(FLOATS, FLOATS)
def test_bytes_have_zero_and_both_ends_in_range(one: float, other: float) -> None:
    low, high = min(one, other, 0.0), max(one, other, 0.0)
    quant = make_quant(Range(min(one, other), max(one, other)), UINT8)
    if low == high:
        assert (quant.scale, quant.zero) == (np.float32(1 / 255), 0)
        return
    assert quant.zero == floor(-exact(low) * 255 / (exact(high) - exact(low)) + Fraction(1, 2))
    assert abs(exact(quant.scale) * 255 / (exact(high) - exact(low)) - 1) < Fraction(1, 2**22)
    assert int(quant.quantise(0.0)) == quant.zero
    assert int(quant.quantise(high)) >= 254
    assert int(quant.quantise(low)) <= 1


@given(FLOATS, FLOATS)
def test_16_bits_are_symmetric(one: float, other: float) -> None:
    quant = make_quant(Range(min(one, other), max(one, other)), INT16)
    largest = max(abs(one), abs(other)) or 1.0
    assert quant.zero == 0
    assert quant.scale == np.float32(np.float32(largest) / np.float32(32767))


@pytest.mark.parametrize(("mean", "std", "zero"), [(127.5, 127.5, 128), (0.0, 255.0, 0), (127.0, 128.0, 127)])
def test_zero_points_of_the_vendors_images(mean: float, std: float, zero: int) -> None:
    assert make_quant(Range(-mean / std, (255 - mean) / std), UINT8).zero == zero


def test_weights_are_rounded_half_away_from_zero_and_a_channel_of_zeros_borrows_a_scale() -> None:
    weights = np.array([[127.0, -0.5, 1.5], [0.0, 0.0, 0.0], [254.0, 1.0, -3.0]], np.float32)
    scales = scale_weights(weights.min(axis=1), weights.max(axis=1), INT8)
    assert scales.tolist() == [1.0, 2.0, 2.0]
    assert quantise_weights(weights, scales, INT8).tolist() == [[127, -1, 2], [0, 0, 0], [127, 1, -2]]
    assert scale_weights(np.zeros(2), np.zeros(2), INT8).tolist() == [1.0, 1.0]
