import math

import numpy as np
import pytest

from tests.metrics.pairs import value


def test_a_bit_of_a_quantiser_is_worth_six_decibels():
    b = np.random.default_rng(5).uniform(-1, 1, 60_000)
    at = [value("sqnr", np.round(b * levels) / levels, b) for levels in (64, 128, 256)]
    assert np.diff(at) == pytest.approx([6.02, 6.02], abs=0.1)


def test_zero_tensors():
    assert value("sqnr", [1, 2], [0, 0]) == -math.inf
    assert value("sqnr", [0, 0], [0, 0]) == math.inf
    assert value("sqnr", [0, 0], [1, 2]) == 0.0
