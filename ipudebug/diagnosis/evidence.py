"""Everything that a detector may ask about one suspicious layer."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ipudebug.diagnosis.step import find_step, rounding_energy
from ipudebug.diagnosis.view import View


@dataclass
class Evidence:
    """One layer under the magnifying glass.

    Attributes:
        name, op_type: of the layer.
        view: the pair.
        is_input: whether it is the model's input rather than a layer.
        noise: error energy over signal energy that the layers before hand on.
        jump: how far the layer stands out of what was to be expected; 1 or more is clear (``onset``).
        nans, infs: how many elements of sample and benchmark are NaN, or infinite.
        others: gives name -> ``fingerprint`` of the benchmark's other tensors of the same size.
        fingerprint: the sample's own.
    """

    name: str
    op_type: str
    view: View
    is_input: bool = False
    noise: float = 0.0
    jump: float = math.inf
    nans: tuple[int, int] = (0, 0)
    infs: tuple[int, int] = (0, 0)
    others: Callable[[], Mapping[str, np.ndarray]] = dict
    fingerprint: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Let elements that are not finite count as 0: they have a detector of their own."""
        if any(self.nans) or any(self.infs):
            a, b = (np.nan_to_num(side, nan=0.0, posinf=0.0, neginf=0.0) for side in (self.view.a, self.view.b))
            self.view = replace(self.view, a=a, b=b)

    @property
    def a(self) -> np.ndarray:
        """The sample, [N, H, W, C]."""
        return self.view.a

    @property
    def b(self) -> np.ndarray:
        """The benchmark, [N, H, W, C]."""
        return self.view.b

    @cached_property
    def d(self) -> np.ndarray:
        """Sample minus benchmark."""
        difference: np.ndarray = self.a - self.b
        return difference

    @cached_property
    def signal(self) -> float:
        """Energy of the benchmark; never 0."""
        return max(float(np.vdot(self.b, self.b)), 1e-300)

    @cached_property
    def error(self) -> float:
        """Energy of the error."""
        return float(np.vdot(self.d, self.d))

    @cached_property
    def step(self) -> float:
        """Distance of the sample's levels; 0.0 if it lies on no grid of 256."""
        return find_step(self.a)

    @cached_property
    def expected(self) -> float:
        """Energy of the error that would be no surprise: what is handed on, and the layer's own rounding."""
        return self.noise * self.signal + rounding_energy(self.step) * self.d.size + 1e-11 * self.signal

    def explained(self, left: float, parameters: int = 0) -> float:
        """Return which share (0..1) of the surprising error a hypothesis explains that leaves the energy ``left``.

        ``parameters`` were fitted to the data: each explains one element by chance.
        """
        surprise = self.error - self.expected
        if surprise <= 0:
            return 0.0
        left = left * self.d.size / max(self.d.size - parameters, 1) if parameters < self.d.size else self.error
        share = np.clip(1 - max(left - 1.2 * self.expected, 0.0) / surprise, 0.0, 1.0)
        return float(share * min(1.0, 2 * surprise / self.error))

    def is_confined(self, channels: np.ndarray) -> bool:
        """Return whether the other live channels are at least ten times less wrong than ``channels`` (bool, [C])."""
        wrong, signal = ((side * side).sum(axis=(0, 1, 2)) for side in (self.d, self.b))
        relative = wrong / np.maximum(signal, 1e-6 * max(float(signal.max()), 1e-300))
        others = relative[~channels & (signal > 1e-6 * signal.max())]
        return not others.size or float(np.median(others)) < 0.1 * float(np.median(relative[channels]))

    def count_alike(self, channel: int) -> int:
        """Return how many other channels are about as wrong as one, and more than noise explains."""
        wrong, signal = ((side * side).sum(axis=(0, 1, 2)) for side in (self.d, self.b))
        relative = wrong / np.maximum(signal, 1e-300)
        alike = (relative > 0.3 * relative[channel]) & (wrong > 10 * self.expected / wrong.size)
        return int(np.count_nonzero(alike & (signal > 1e-4 * signal.max()))) - int(alike[channel])

    @cached_property
    def inside(self) -> np.ndarray:
        """Where neither side is at its own smallest or largest value, where a rectifier or a saturation cuts."""
        a, b = self.a, self.b
        inside: np.ndarray = (a > a.min()) & (a < a.max()) & (b > b.min()) & (b < b.max())
        return inside


def fit_line(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Return gain and offset of the least-squares line a = gain b + offset; (nan, nan) where b does not vary."""
    if a.size < 2:
        return float("nan"), float("nan")
    mean_a, mean_b = float(a.mean()), float(b.mean())
    centred = b - mean_b
    spread = float(np.vdot(centred, centred))
    if spread <= 1e-14 * max(float(np.vdot(b, b)), 1e-300):
        return float("nan"), float("nan")
    gain = float(np.vdot(centred, a)) / spread
    return gain, mean_a - gain * mean_b


def correlate(a: np.ndarray, b: np.ndarray) -> float:
    """Return the correlation of two arrays, -1..1; 0.0 where one is constant."""
    first, second = a - a.mean(), b - b.mean()
    norms = float(np.vdot(first, first)) * float(np.vdot(second, second))
    return float(np.vdot(first, second)) / norms**0.5 if norms > 0 else 0.0
