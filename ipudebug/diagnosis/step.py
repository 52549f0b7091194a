"""The grid that the values of a quantised tensor lie on, found in the values themselves."""

from __future__ import annotations

import numpy as np

_LOOK = 4096  # values are enough to see the 256 levels of an 8-bit tensor
_PROBE = 400  # more different values among so many are no grid of 256
_REACHES = (16, 256, 4096, 1 << 17)
_LEAST = 24  # values below which a grid may be chance


def find_step(values: np.ndarray, most: int = 256) -> float:
    """Return the distance of neighbouring levels of a quantised tensor; 0.0 if there is no grid of ``most`` levels.

    A dump's header has the scale in six decimals only, and a framework's dump has none: the values say it exactly.
    """
    return float(find_steps(values.reshape(1, -1), most)[0])


def find_steps(values: np.ndarray, most: int = 256, sizes: np.ndarray | None = None) -> np.ndarray:
    """Return the step of each row of values [k, n], as ``find_step`` does of one; float64 [k].

    ``sizes`` are how many elements of each row count, where the others repeat one of them.
    """
    steps = np.zeros(len(values))
    counts = np.full(len(values), values.shape[1]) if sizes is None else sizes
    if values.shape[1] > _LOOK:
        stride = values.shape[1] // _LOOK
        values, counts = values[:, ::stride], -(-counts // stride)
    limits = np.minimum(most, counts // 2) if most <= 256 else np.full(len(counts), most)
    glance = np.sort(values[:, :_PROBE], axis=1)
    is_whole = values.shape[1] <= _PROBE
    few = np.flatnonzero((counts >= _LEAST) & (_count_levels(glance) <= (limits if is_whole else most)))
    if not few.size:
        return steps
    levels = glance[few] if is_whole else np.sort(values[few], axis=1)
    numbers = _count_levels(levels)
    usable = (numbers >= 3) & (numbers <= limits[few]) & np.isfinite(levels[:, [0, -1]]).all(axis=1)
    if usable.any():
        steps[few[usable]] = _measure_steps(levels[usable], most)
    return steps


def _count_levels(ascending: np.ndarray) -> np.ndarray:
    """Return how many different values each row has; [k]."""
    count: np.ndarray = np.count_nonzero(ascending[:, 1:] != ascending[:, :-1], axis=1) + 1
    return count


def _measure_steps(levels: np.ndarray, most: int) -> np.ndarray:
    """Return the step of each ascending row of at least three different finite values; 0.0 for what is no grid."""
    changes = (levels[:, 1:] != levels[:, :-1]).any(axis=0)
    levels = levels[:, np.concatenate(([True], changes))]
    heights = levels - levels[:, :1]
    top = heights[:, -1:]
    gaps = levels[:, 1:] - levels[:, :-1]
    steps = np.minimum(np.where(gaps > top * 1e-6, gaps, np.inf).min(axis=1, keepdims=True), top)
    for reach in _REACHES:  # the smallest gap is known to few digits: the longer the ruler, the more
        last = np.count_nonzero(heights <= reach * steps, axis=1) - 1
        far = np.take_along_axis(heights, last[:, np.newaxis], axis=1)
        steps = np.where(far > 0, far / np.maximum(1, np.rint(far / steps)), steps)
    places = heights / steps
    numbers = np.rint(places)
    is_grid = (numbers[:, -1] < most) & (np.abs(places - numbers) < 0.05).all(axis=1)
    found: np.ndarray = np.where(is_grid, steps[:, 0], 0.0)
    return found


def rounding_energy(step: float) -> float:
    """Return the mean squared error that rounding to a grid makes: step^2 / 12 (an error even over half a step)."""
    return step * step / 12
