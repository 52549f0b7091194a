"""Factors that bring the sums of channels together."""

from __future__ import annotations

import numpy as np
import pytest

from ipudebug.sim.compensation.balance import find_factors


@pytest.mark.parametrize(
    ("sums", "expected"),
    [
        ([1, 2, 4], [1, 1, 2]),
        ([1, 1, 1, 100], [1, 1, 1, 4]),
        ([5], [1]),
        ([0, 0, 7], [1, 1, 1]),
        ([2, 3, 6, 9, 60], [1, 1, 1, 1.5, 4]),
    ],
)
def test_those_above_the_median_grow_up_to_four_times(sums: list[float], expected: list[float]) -> None:
    factors = find_factors(np.array(sums, np.float64))
    assert factors.dtype == np.float32
    assert factors.tolist() == expected
