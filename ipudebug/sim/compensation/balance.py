"""Weights of 16 bits give up to two bits, so that all channels of a convolution have sums of much the same size.

The chip shifts the sums of all channels by one number of bits, until the largest is below 8192 (SPEC 11.2). A channel
whose sums are small beside that keeps few bits of them; in a net of 16 bits this is the largest error that is left. The
sums of a channel shrink as its scale grows: those above the median are brought near it, at the price of weights that
are known to 13 bits instead of 15. The idea is that of cross-layer equalization (Nagel et al. 2019), here between the
channels of one convolution. Weights of 8 bits have none to spare.
"""

from __future__ import annotations

import numpy as np

LARGEST = 4.0
"""How many times as large a scale may become."""


def find_factors(sums: np.ndarray) -> np.ndarray:
    """Return what the scale of each channel is to be multiplied by, float32, 1 to LARGEST.

    ``sums`` are the largest absolute sums of each channel, its bias included.
    """
    middle = float(np.median(sums))
    if not middle > 0:
        return np.ones(len(sums), np.float32)
    factors: np.ndarray = np.clip(sums / middle, 1.0, LARGEST)
    return factors.astype(np.float32)
