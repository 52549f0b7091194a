"""The corrected bias makes the mean of the outputs right."""

from __future__ import annotations

import numpy as np

from ipudebug.sim.compensation.bias import correct_bias


def test_the_mean_of_the_outputs_is_that_of_the_float_convolution() -> None:
    random = np.random.default_rng(2)
    weights = random.standard_normal((6, 3, 3, 4)).astype(np.float32)
    scales = (np.abs(weights).reshape(6, -1).max(axis=1) / 7).astype(np.float32)
    stored = np.rint(weights / scales.reshape(-1, 1, 1, 1)).astype(np.int8)
    bias = random.standard_normal(6).astype(np.float32)
    windows = random.uniform(0, 3, (500, 3, 3, 4))
    mean = windows.mean(axis=0)[np.newaxis]
    corrected = correct_bias(bias, weights, stored, scales, mean)
    assert np.allclose(correct_bias(bias, weights, stored, scales, np.tile(mean, (6, 1, 1, 1))), corrected)
    real = np.tensordot(windows, weights.astype(np.float64), ([1, 2, 3], [1, 2, 3])) + bias
    rounded = np.tensordot(windows, stored * scales.astype(np.float64).reshape(-1, 1, 1, 1), ([1, 2, 3], [1, 2, 3]))
    assert np.abs((rounded + bias).mean(axis=0) - real.mean(axis=0)).max() > 0.05
    assert np.abs((rounded + corrected).mean(axis=0) - real.mean(axis=0)).max() < 1e-5
    assert corrected.dtype == np.float32
