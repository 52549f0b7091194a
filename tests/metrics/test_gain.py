import math

import numpy as np
import pytest

from tests.metrics.pairs import measure, value

RNG = np.random.default_rng(3)


@pytest.mark.parametrize(("gain", "offset"), [(1.0, 0.5), (2.0, 0.0), (-0.5, 3.0), (0.0, 1.0), (127.5, -127.5)])
def test_a_straight_line_is_found_as_numpy_finds_it(gain, offset):
    b = RNG.normal(size=4000).astype("f4")
    a = (gain * b + offset + 0.01 * RNG.normal(size=b.size)).astype("f4")
    got = measure(a, b, "gain", "offset").values
    expected = np.polyfit(b.astype("f8"), a.astype("f8"), 1)
    assert [got["gain"], got["offset"]] == pytest.approx(list(expected), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("size", [1, 2, 1000, 16_384, 65_536, 200_001])
@pytest.mark.parametrize("constant", [0.1, 1.0, 3.14159274, 1e-20, 1e20, 1234.5678])
def test_a_constant_benchmark_has_no_slope(size, constant):
    b = np.full(size, constant, "f4")
    got = measure(b * np.float32(1.5), b, "gain", "offset").values
    assert math.isnan(got["gain"])
    assert math.isnan(got["offset"])


def test_a_constant_benchmark_that_is_equal_has_gain_one_and_no_offset():
    b = np.full(77, 0.1)
    assert measure(b, b, "gain", "offset").values["gain"] == 1.0
    assert measure(b, b, "gain", "offset").values["offset"] == 0.0


def test_data_far_from_zero_keeps_its_slope():
    b = 1000 + RNG.normal(size=5000)
    assert value("gain", 1.25 * b, b) == pytest.approx(1.25, rel=1e-6)


def test_an_infinity_is_no_gain():
    assert math.isnan(value("gain", [np.inf, 1], [1, -5]))
    assert math.isnan(value("offset", [np.inf, 1], [1, -5]))
    assert math.isnan(value("gain", [1, 2], [np.inf, -5]))
