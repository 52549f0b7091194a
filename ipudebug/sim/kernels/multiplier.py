"""Real ratios -> integers and one shift: the normalised multiplier that every rescaling of the chip uses."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def normalise(ratios: Sequence[float] | np.ndarray) -> tuple[np.ndarray, int]:
    """Return integers m and a shift n with m_i / 2^n ~ ratio_i, the largest |m| in 16384..32767.

    n = 14 - floor(log2(max |r|)), m_i = floor(r_i 2^n + 0.5); if a rounded m is 32768, n is one less. Ratios are
    products of float32 numbers, computed by the caller. All ratios zero: m = 0, n = 0.

    Returns m as int64, shape (len(ratios),), and n.
    """
    values = np.asarray(ratios, np.float64)
    largest = float(np.abs(values).max(initial=0.0))
    if largest == 0.0 or not math.isfinite(largest):
        return np.zeros(values.shape, np.int64), 0
    shift = 14 - (math.frexp(largest)[1] - 1)  # frexp's exponent is exact where log2 would round
    scaled = np.floor(np.ldexp(values, shift) + 0.5)
    if np.abs(scaled).max() >= 32768:
        shift -= 1
        scaled = np.floor(np.ldexp(values, shift) + 0.5)
    return scaled.astype(np.int64), shift
