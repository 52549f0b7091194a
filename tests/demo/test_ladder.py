"""The parts of the ladder that its commands do not show."""

from __future__ import annotations

import numpy as np

from ipudebug.demo.labels import count_labels
from ipudebug.demo.ladder import find_difference


def test_a_difference_is_one_of_bits() -> None:
    wanted = [np.float32([0.0, 1.0]), np.float32([2.0, 3.0])]
    assert find_difference([array.copy() for array in wanted], wanted) is None
    assert find_difference([wanted[0], np.nextafter(wanted[1], np.float32(9))], wanted) == 1
    assert find_difference([np.float32([-0.0, 1.0]), wanted[1]], wanted) == 0


def test_labels_are_counted_by_the_names_of_the_images() -> None:
    samples = [("a/digit_2_a.png",), ("digit_0_b.png",), ("digit_1_a.png",)]
    outputs = [np.float32([[0, 0.25, 0.75]]), np.float32([[0, 0.25, 0.75]]), np.float32([[-3, -1, -2]])]
    assert count_labels(samples, outputs) == 2
