"""mean and std of the ini against a preprocess file: every channel of an image counts."""

from __future__ import annotations

import numpy as np
import pytest

from ipudebug.sim.model import BoardInput
from ipudebug.sim.preprocess_check import PreprocessCheck

MEAN, STD = (127.0, 120.0, 100.0), (60.0, 58.0, 61.0)


@pytest.mark.parametrize("axis", [1, 3])
@pytest.mark.parametrize(("fourth", "agrees"), [((100.0, 61.0), True), ((0.0, 1.0), False)])
def test_the_fourth_channel_has_the_numbers_of_the_third(fourth: tuple[float, float], agrees: bool, axis: int) -> None:
    raw = np.random.default_rng(1).integers(0, 256, (1, 5, 4, 4)).astype(np.uint8)
    mean, std = (np.array([*values, more]) for values, more in zip((MEAN, STD), fourth, strict=True))
    normalised = ((raw - mean) / std).astype(np.float32)
    check = PreprocessCheck(BoardInput("image", "RGBA", "RGBA", MEAN, STD))
    for _ in range(2):
        check.add(np.moveaxis(normalised, 3, axis), np.moveaxis(raw, 3, axis), axis)
    found = check.describe()
    if agrees:
        assert found is None
    else:
        assert found is not None
        assert (
            "the ini says (mean 127:120:100:100, std 60:58:61:61); it uses mean 127:120:100:0, std 60:58:61:1" in found
        )
