"""Rounding that compensates, against rounding to the nearest and against all integers in reach."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipudebug.sim.compensation.rounding import round_weights


def smooth_covariance(size: int, likeness: float) -> np.ndarray:
    """Of neighbours on a line, each like the next."""
    places = np.arange(size)
    return likeness ** np.abs(places[:, np.newaxis] - places)


def loss(steps: np.ndarray, stored: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    return np.array([row @ covariance @ row for row in steps - stored])


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from([0.9, 0.99, 0.999]))
def test_filters_on_smooth_pixels_lose_less(seed: int, likeness: float) -> None:
    steps = np.random.default_rng(seed).uniform(-127, 127, (32, 25))
    covariance = smooth_covariance(25, likeness)
    stored = round_weights(steps, covariance, 127)
    assert np.array_equal(stored, np.rint(stored))
    assert np.abs(stored).max() <= 127
    nearest = loss(steps, np.rint(steps), covariance)
    assert loss(steps, stored, covariance).sum() < (0.5 if likeness > 0.9 else 0.9) * nearest.sum()


def test_small_filters_come_near_the_best_integers() -> None:
    random = np.random.default_rng(4)
    covariance = smooth_covariance(4, 0.95)
    steps = random.uniform(-20, 20, (20, 4))
    stored = round_weights(steps, covariance, 127)
    around = np.array(list(itertools.product(range(-2, 3), repeat=4)))
    best = np.array([loss(row, np.rint(row) + around, covariance).min() for row in steps])
    nearest = loss(steps, np.rint(steps), covariance)
    assert loss(steps, stored, covariance).sum() < best.sum() + 0.2 * (nearest.sum() - best.sum())


@pytest.mark.parametrize("covariance", [np.zeros((3, 3)), np.diag([1.0, 4.0, 2.0]), np.full((3, 3), np.inf)])
def test_without_likeness_it_rounds_to_the_nearest(covariance: np.ndarray) -> None:
    steps = np.array([[1.4, -2.6, 130.0], [0.2, 0.0, -3.3]])
    assert round_weights(steps, covariance, 127).tolist() == [[1, -3, 127], [0, 0, -3]]


def test_pixels_that_are_all_alike_keep_the_sum_of_the_filter() -> None:
    steps = np.random.default_rng(0).uniform(-5, 5, (50, 9))
    stored = round_weights(steps, np.ones((9, 9)), 127)
    assert np.abs(stored.sum(axis=1) - steps.sum(axis=1)).max() <= 0.51
    assert np.abs(stored - steps).max() < 3
