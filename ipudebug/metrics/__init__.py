"""Metrics: the sums of a pair of tensors -> one number.

A metric is one module here that exports ``METRIC``. Its name is the module's name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Protocol, TypeAlias

from ipudebug.registry import Registry

if TYPE_CHECKING:
    import numpy as np

    from ipudebug.metrics.sums import Sums


class SumsMetric(ABC):
    """A formula over Sums: most metrics."""

    label: str
    """Column heading; the vendor's own three are ``MSE``, ``COS``, ``RMSE``."""
    higher_is_better: bool | None
    """None when the best value lies in the middle, as for a gain."""
    best: float
    """The value of two equal tensors that are not zero."""

    @abstractmethod
    def compute(self, sums: Sums) -> np.ndarray:
        """Return one float64 for each of the k pairs in ``sums``; shape (k,)."""


class StreamMetric(Protocol):
    """A metric that no sums can express: it sees the pair itself, chunk by chunk."""

    label: str
    higher_is_better: bool | None
    best: float

    def start(self, size: int) -> Stream:
        """Return a fresh accumulator for a pair of ``size`` elements."""
        ...


class Stream(Protocol):
    """The accumulator of one StreamMetric for one pair."""

    def update(self, sample: np.ndarray, benchmark: np.ndarray) -> None:
        """Take the next chunk: two flat float64 arrays of equal length, which are the caller's again afterwards."""
        ...

    def value(self) -> float:
        """Return the metric of all chunks so far."""
        ...


Metric: TypeAlias = SumsMetric | StreamMetric

METRICS: Registry[Metric] = Registry(__name__, "METRIC", "metric", besides=("sums", "runs", "_runs", "passes"))
VENDOR = ("mse", "cos", "rmse")
"""The three that the vendor's report shows, in its order."""
