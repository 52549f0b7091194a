"""INPUT_CONVERSION against Python integers."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from ipudebug.errors import ModelError
from ipudebug.sim.kernels import KERNELS
from tests.sim.kernels.integers import clip


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("channels", [3, 4])
def test_equals_python_integers(layout: str, channels: int) -> None:
    rng = np.random.default_rng(0)
    matrices = [
        [1024, 0, 0, 0, 1024, 0, 0, 0, 1024],
        [0, 0, 1024, 0, 1024, 0, 1024, 0, 0],
        [949, 0, 0, 0, 949, 0, 0, 0, 949],
        [0] * 9,
        [-32768] * 9,
        *rng.integers(-32768, 32768, (40, 9)).tolist(),
        *rng.integers(-1300, 1300, (40, 9)).tolist(),
    ]
    for matrix in matrices:
        x = rng.integers(0, 256, (2, 3, 5, channels)).astype(np.uint8)
        x[0, 0] = rng.choice([0, 255])
        offset = rng.integers(-200, 700, 3).tolist()
        fed = x.transpose(0, 3, 1, 2) if layout == "NCHW" else x
        attributes = {"matrix": matrix, "offset": offset, "layout": layout}
        (y,) = KERNELS["INPUT_CONVERSION"].compute([fed], attributes)
        assert y.flags.c_contiguous
        assert y.dtype == np.uint8
        y = y.transpose(0, 2, 3, 1) if layout == "NCHW" else y
        assert y.shape == (2, 3, 5, 3)
        for n, h, w, c in product(range(2), range(3), range(5), range(3)):
            total = sum(matrix[3 * c + j] * int(x[n, h, w, j]) for j in range(3))
            assert y[n, h, w, c] == clip((total + 512) // 1024 + offset[c] - 256, 0, 255)


@pytest.mark.parametrize(
    "x", [np.zeros((1, 2, 2, 2), np.uint8), np.zeros((1, 2, 2, 3), np.int16), np.zeros((2, 2, 3), np.uint8)]
)
def test_refuses_what_is_no_image(x: np.ndarray) -> None:
    attributes = {"matrix": [0] * 9, "offset": [0] * 3, "layout": "NHWC"}
    with pytest.raises(ModelError, match="expected a uint8 image of 3 or 4 channels"):
        KERNELS["INPUT_CONVERSION"].compute([x], attributes)
