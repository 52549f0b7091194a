"""The mean error that rounded weights make is put into the bias of each channel.

Nagel et al., "Data-free quantization through weight equalization and bias correction" (2019), section 4.2, with means
that are measured. A weight that is off by d adds d E[x] to every output, and a filter's many small d add up to an
offset that is far larger than the noise around it.
"""

from __future__ import annotations

import numpy as np


def correct_bias(
    bias: np.ndarray, weights: np.ndarray, stored: np.ndarray, scales: np.ndarray, mean: np.ndarray
) -> np.ndarray:
    """Return bias + sum of (weight - stored scale) E[x], float32 [O].

    Args:
        bias: float32 [O].
        weights: float32 [O, ...].
        stored: the integers that stand for them.
        scales: of each filter, float32 [O].
        mean: of what each weight meets, of the weights' shape, or with one filter for all.
    """
    rows = len(weights)
    lost = weights.reshape(rows, -1).astype(np.float64)
    lost -= stored.reshape(rows, -1) * scales.astype(np.float64)[:, np.newaxis]
    corrected: np.ndarray = bias + np.vecdot(lost, mean.reshape(len(mean), -1))
    return corrected.astype(np.float32)
