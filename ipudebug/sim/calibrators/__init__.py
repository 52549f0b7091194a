"""Calibrators: what was seen of a tensor -> the range that 8 bits are spent on, a method a module.

A module exports ``CALIBRATOR``; its name is what ``--method`` takes. 16 bits have room for everything that was seen:
INT16 tensors always have their measured range.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ipudebug.registry import Registry
from ipudebug.sim.histogram import Histogram
from ipudebug.sim.quantisation import Range

LEVELS = 255
"""Steps of a range of 8 bits."""


@dataclass(frozen=True, slots=True)
class Calibrator:
    """One method.

    Attributes:
        choose: (measured range, histogram of a sample) -> the range to quantise. It lies within the measured one.
        needs_histogram: whether a sample has to be taken at all; without one ``choose`` gets an empty histogram.
    """

    choose: Callable[[Range, Histogram], Range]
    needs_histogram: bool = True


CALIBRATORS: Registry[Calibrator] = Registry(__name__, "CALIBRATOR", "calibration method", dashes=True)
