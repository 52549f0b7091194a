"""Numbers as six decimals: character for character what Python's own ``%f`` prints."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipudebug.dumps.decimals import format_rows


def print_rows(values: np.ndarray, separator: str) -> str:
    """Return the rows as a loop over Python's numbers prints them."""
    numbers = [f"{float(value):f}{separator}" for value in values.reshape(-1)]
    return "".join(number + "\n" * (place % 16 == 15) for place, number in enumerate(numbers))


def check(values: np.ndarray, separator: str = "  ") -> None:
    assert b"".join(format_rows(values, separator)).decode() == print_rows(values, separator)


@given(st.binary(max_size=400), st.sampled_from(["<f2", "<f4", "<f8", "u1", "i1", "<i2", "<i4", "<u4"]))
def test_any_bytes_print_as_python_prints_them(content: bytes, dtype: str) -> None:
    check(np.frombuffer(content[: len(content) // 8 * 8], dtype))


@given(st.lists(st.tuples(st.integers(-(2**24), 2**24), st.integers(-40, 10)), max_size=50))
def test_float32_of_every_magnitude(parts: list[tuple[int, int]]) -> None:
    check(np.array([mantissa * 2.0**exponent for mantissa, exponent in parts], np.float32), ", ")


@pytest.mark.parametrize(
    "numbers",
    [
        [0.0, -0.0, 1e-9, -1e-9, 5e-7, -5e-7],
        [2**-7, 3 * 2**-7, 2**-20, 0.9999999, 999.9999999, 9.5, -9.9999995],  # ties go to the even digit
        [999, 1000, 1001, -999_999, 1_000_000, 1_000_001, 123, 7],
        [4294.9672, 4294.9673, 9e9, -9e9, 1, 1_002_003_072, 9_007_199_232],
        [1e10, 1, 2],
        [np.nan, 1.5, -np.inf, np.inf],
        [],
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_signs_ties_and_ends(numbers: list[float], dtype: type) -> None:
    check(np.array(numbers, dtype))


@pytest.mark.parametrize("count", [1, 15, 16, 17, 4095, 4096, 4097, 9000])
def test_rows_and_blocks(count: int) -> None:
    values = np.random.default_rng(count).standard_normal(count).astype(np.float32)
    check(values)
    check(values[::-1] * 1000, ", ")


def test_whole_numbers_and_truth_values() -> None:
    check(np.array([-(2**62), 2**53 + 1, 5]))
    check(np.array([True, False]))
