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
    flat = values.reshape(-1)
    if flat.size > _LOOK:
        flat = flat[:: flat.size // _LOOK]
    levels = np.sort(flat[:_PROBE])
    distinct = np.count_nonzero(levels[1:] != levels[:-1]) + 1
    if distinct > most or (most <= 256 and flat.size <= _PROBE and distinct > flat.size // 2):
        return 0.0
    levels = np.unique(flat)
    if not np.isfinite(levels).all() or not flat.size >= _LEAST or not 3 <= levels.size <= most:
        return 0.0
    if most <= 256 and levels.size > flat.size // 2:
        return 0.0
    heights = levels - levels[0]
    gaps = np.diff(levels)
    step = float(gaps[gaps > heights[-1] * 1e-6].min(initial=heights[-1]))
    for reach in _REACHES:  # the smallest gap is known to few digits: the longer the ruler, the more
        far = float(heights[heights <= reach * step][-1])
        if far:
            step = far / max(1, round(far / step))
    numbers = np.rint(heights / step)
    fits = np.abs(heights / step - numbers) < 0.05
    return step if numbers[-1] < most and bool(fits.all()) else 0.0


def rounding_energy(step: float) -> float:
    """Return the mean squared error that rounding to a grid makes: step^2 / 12 (an error even over half a step)."""
    return step * step / 12
