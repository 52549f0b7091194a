import numpy as np
import pytest

from ipudebug.errors import InputError
from ipudebug.runners.feed_check import check_feed
from ipudebug.tensor import TensorInfo

INPUTS = (TensorInfo("x", (-1, 3), np.dtype("f4")), TensorInfo("y", (2,), np.dtype("u1")))
GOOD = {"x": np.zeros((5, 3), "f4"), "y": np.zeros(2, "u1")}


def test_a_feed_that_fits_passes() -> None:
    check_feed(INPUTS, GOOD)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": None}, "the model has 2 inputs (x, y), nothing is fed to x"),
        ({"z": np.zeros(1)}, "the model has 2 inputs (x, y), there is no input z"),
        ({"y": np.zeros(2, "f4")}, "input y: expected uint8, found float32"),
        ({"x": np.zeros((5, 4), "f4")}, "input x: expected shape [-1, 3], found [5, 4]"),
        ({"x": np.zeros((1, 5, 3), "f4")}, "input x: expected shape [-1, 3], found [1, 5, 3]"),
    ],
)
def test_says_what_does_not_fit(change: dict[str, np.ndarray | None], message: str) -> None:
    feed = {name: array for name, array in {**GOOD, **change}.items() if array is not None}
    with pytest.raises(InputError) as error:
        check_feed(INPUTS, feed)
    assert error.value.message == message
