"""What a convolution reads, over all windows and images: the mean at each of its taps, and of pixels the products."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Expected:
    """What a filter is multiplied with, in the order of its weights.

    Attributes:
        mean: [O, kh, kw, I], float64: the mean of what each weight meets; [1, kh, kw, I] where all filters meet the
            same.
        covariance: [n, n], float64, over the n = kh kw I weights of a filter; None where it was not observed.
    """

    mean: np.ndarray
    covariance: np.ndarray | None = None


class Moments:
    """Sums over images; empty at first.

    What is summed has few bits and much the same size, so that the sums do not depend on the order of the images; what
    is left of that is rounded away.
    """

    def __init__(self) -> None:
        """Begin without an image."""
        self._images = 0
        self._means: np.ndarray | float = 0.0
        self._products: np.ndarray | None = None

    def add(self, mean: np.ndarray, products: np.ndarray | None = None) -> None:
        """Take up one image.

        Args:
            mean: float32 [N, C, kh, kw], or [1, .., C] of a product: of all windows, for each input channel and tap;
                padding counts as zero.
            products: float32 [N, n + 1, n + 1]: sum over windows of v v', with v the window's values in the order
                [I, kh, kw], and a one behind them.
        """
        self._images += 1
        self._means = self._means + mean.astype(np.float64).mean(axis=0)
        if products is not None:
            summed = products.astype(np.float64).sum(axis=0)
            self._products = summed if self._products is None else self._products + summed

    def expect(self, shape: tuple[int, ...], groups: int, filters: int, rows: slice = slice(None)) -> Expected:
        """Return what some filters of a convolution are multiplied with.

        Args:
            shape: of their weights, [O, I, kh, kw].
            groups: of the convolution.
            filters: that it has in all its groups.
            rows: which of them these are.
        """
        mean = (np.asarray(self._means) / self._images).astype(np.float32).astype(np.float64)
        parts = mean.reshape(groups, *shape[1:])
        spread = parts if groups == 1 else np.repeat(parts, filters // groups, axis=0)[rows]
        covariance = None if self._products is None else _find_covariance(self._products, shape)
        return Expected(np.ascontiguousarray(spread.transpose(0, 2, 3, 1)), covariance)


def _find_covariance(products: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the covariance of what the weights of a filter meet, those in the order [kh, kw, I]."""
    count = products[-1, -1]
    mean = products[-1, :-1] / count
    covariance = products[:-1, :-1] / count - np.outer(mean, mean)
    ordered = np.arange(len(covariance)).reshape(shape[1:]).transpose(1, 2, 0).reshape(-1)
    rounded = covariance[np.ix_(ordered, ordered)].astype(np.float32).astype(np.float64)
    symmetric: np.ndarray = (rounded + rounded.T) / 2
    return symmetric
