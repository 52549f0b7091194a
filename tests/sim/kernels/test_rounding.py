"""Roundings, widths and normalised multipliers against Python integers and fractions."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipudebug.sim.kernels.multiplier import normalise
from ipudebug.sim.kernels.rounding import pick_width, saturate, shift_half_away, shift_half_up
from tests.sim.kernels import integers

CEILING = 1 << 46


@given(st.integers(-(1 << 61), 1 << 61), st.integers(-70, 90))
def test_shifts_of_int64(value: int, count: int) -> None:
    for function, formula in ((shift_half_up, integers.hu), (shift_half_away, integers.ha)):
        expected = formula(value, count)
        (found,) = function(np.array([value], np.int64), count).tolist()
        if count < 0 and abs(expected) > CEILING // 2:
            assert abs(found) >= CEILING // 2
            assert (found > 0) == (expected > 0)
        else:
            assert found == expected


@given(st.integers(-(1 << 31) + 1, (1 << 31) - 1), st.lists(st.integers(-20, 40), min_size=1, max_size=2))
def test_picked_widths_suffice(value: int, counts: list[int]) -> None:
    if pick_width(abs(value), *counts) is np.int64:
        return
    for count in counts:
        for function, formula in ((shift_half_up, integers.hu), (shift_half_away, integers.ha)):
            found = function(np.array([value], np.int32), count)
            assert found.dtype == np.int32
            assert found.tolist() == [formula(value, count)]


def test_widths_are_no_wider_than_needed() -> None:
    assert pick_width(1 << 30, 14) is np.int32
    assert pick_width(1 << 31) is np.int64
    assert pick_width(1 << 20, -12) is np.int64
    assert pick_width(5, 33) is np.int64


def test_saturate() -> None:
    found = saturate(np.array([-5, 0, 255, 256, 1 << 40]), 0, 255, np.dtype(np.uint8))
    assert found.dtype == np.uint8
    assert found.tolist() == [0, 0, 255, 255, 255]


@given(
    st.lists(st.floats(2.0**-40, 2.0**20, width=32), min_size=1, max_size=5),
    st.lists(st.sampled_from([-1, 1]), min_size=5),
)
def test_normalised_multipliers(sizes: list[float], signs: list[int]) -> None:
    ratios = [size * sign for size, sign in zip(sizes, signs, strict=False)]
    found, shift = normalise(ratios)
    largest = max(abs(Fraction(ratio)) for ratio in ratios)
    exponent = next(e for e in range(-60, 60) if Fraction(2) ** e <= largest < Fraction(2) ** (e + 1))
    for n in (14 - exponent, 13 - exponent):
        expected = [floor(Fraction(ratio) * Fraction(2) ** n + Fraction(1, 2)) for ratio in ratios]
        if max(map(abs, expected)) < 32768:
            break
    assert (found.tolist(), shift) == (expected, n)
    assert 16384 <= np.abs(found).max() <= 32767


@pytest.mark.parametrize(
    ("ratio", "expected"), [(1.0, (16384, 14)), (65535.9 / 65536, (16384, 14)), (0.75, (24576, 15))]
)
def test_multiplier_that_rounds_to_32768_has_one_bit_less(ratio: float, expected: tuple[int, int]) -> None:
    found, shift = normalise([ratio])
    assert (int(found[0]), shift) == expected


def test_zero_ratios() -> None:
    found, shift = normalise([0.0, 0.0])
    assert (found.tolist(), shift) == ([0, 0], 0)
