"""mean and std_value of the ini against what the preprocess file does, on the calibration images.

With norm=True it returns (x - mean) / std, with norm=False x itself. A line through both says which mean and std it
really uses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ipudebug.sim.board_inputs import order_channels
from ipudebug.sim.model import BoardInput

TOLERANCE = 1.0
"""Mean difference, in steps of a pixel, that rounding may make: norm=False returns whole numbers."""


@dataclass
class ChannelSums:
    """Sums over the pixels of all images, by channel, float64: of raw values, normalised ones, and their products."""

    count: int = 0
    raw: np.ndarray | float = 0.0
    normalised: np.ndarray | float = 0.0
    squares: np.ndarray | float = 0.0
    products: np.ndarray | float = 0.0
    gaps: np.ndarray | float = 0.0


class PreprocessCheck:
    """Takes both results for each image; ``describe`` tells what is wrong, if anything is."""

    def __init__(self, board: BoardInput) -> None:
        """Begin without an image."""
        self._board = board
        self._mean, self._std = (
            np.array(order_channels(values, board.training_format)) for values in (board.mean, board.std)
        )
        self._sums = ChannelSums()
        self._shapes: tuple[tuple[int, ...], tuple[int, ...]] | None = None

    def add(self, normalised: np.ndarray, raw: np.ndarray, axis: int) -> None:
        """Take one image; ``axis`` is that of the channels in both."""
        if normalised.shape != raw.shape:
            self._shapes = normalised.shape, raw.shape
            return
        if raw.shape[axis] == 4 and len(self._mean) == 3:  # the fourth channel has the mean and std of the third
            self._mean, self._std = (np.append(values, values[-1]) for values in (self._mean, self._std))
        a, x = (np.moveaxis(array, axis, -1).reshape(-1, array.shape[axis]) for array in (normalised, raw))
        a, x = a.astype(np.float64), x.astype(np.float64)
        sums = self._sums
        sums.count += len(x)
        sums.raw, sums.normalised = sums.raw + x.sum(axis=0), sums.normalised + a.sum(axis=0)
        sums.squares, sums.products = sums.squares + (x * x).sum(axis=0), sums.products + (x * a).sum(axis=0)
        sums.gaps = sums.gaps + np.abs(a * self._std + self._mean - x).sum(axis=0)

    def describe(self) -> str | None:
        """Return the mismatch in words, with the mean and std that the preprocess file uses; None if there is none."""
        name = f"input {self._board.name}"
        if self._shapes is not None:
            normalised, raw = (list(shape) for shape in self._shapes)
            return f"{name}: the preprocess file returns {normalised} with norm=True, but {raw} with norm=False"
        sums = self._sums
        if not sums.count or np.max(np.asarray(sums.gaps) / sums.count) <= TOLERANCE:
            return None
        gap = float(np.max(np.asarray(sums.gaps) / sums.count))
        stated = f"mean {_show(self._mean)}, std {_show(self._std)}"
        found = self._fit()
        return (
            f"{name}: preprocess file and ini disagree: with norm=True and norm=False its results differ by {gap:.3g} "
            f"steps of a pixel from what the ini says ({stated}); {found}; fixed models will see other colours than "
            "the float model"
        )

    def _fit(self) -> str:
        """Return in words the mean and std of the line through both results."""
        sums, count = self._sums, self._sums.count
        raw, normalised = np.asarray(sums.raw) / count, np.asarray(sums.normalised) / count
        variance = np.asarray(sums.squares) / count - raw**2
        slope = (np.asarray(sums.products) / count - raw * normalised) / np.where(variance > 0, variance, np.inf)
        if not np.all(np.abs(slope) > 1e-9):
            return "the two have no line in common"
        return f"it uses mean {_show(raw - normalised / slope)}, std {_show(1 / slope)}"


def _show(values: np.ndarray) -> str:
    """Return numbers as the ini has them: ``127.5:127.5:127.5``."""
    return ":".join(f"{value:.4g}" for value in np.round(values, 2) + 0.0)
