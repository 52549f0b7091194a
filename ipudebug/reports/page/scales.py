"""How the curves show a metric: where a value stands between the top and the bottom of its chart.

COS is drawn as the number of its nines and RMSE by its power of ten: near equality, where all layers of a healthy model
lie, a linear axis shows nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ipudebug.comparison import SUSPICIOUS_COS, SUSPICIOUS_RMSE

_FINEST = 7  # decades shown beyond 1: sums of float32 carry no more

_MOST_DECIBELS = 6400  # no two float64 sums are farther apart

_DIGITS = 1e-9  # 0.999 has 3 nines, though its logarithm may be a hair more


@dataclass(frozen=True, slots=True)
class Scale:
    """The axis of one chart.

    Attributes:
        bottom, top: the ends of the axis, in units of ``place``.
        ticks: (place, label) of the grid lines.
        limit: place of the threshold, or None.
        limit_label: the threshold in words.
        is_up_good: whether better values stand higher.
        place: value -> where it stands; infinities go beyond the ends.
    """

    bottom: float
    top: float
    ticks: tuple[tuple[float, str], ...]
    limit: float | None
    limit_label: str
    is_up_good: bool
    place: Callable[[float], float]

    def height(self, value: float) -> float:
        """Return where a value stands, 0 at the bottom to 1 at the top; NaN stands at the bad end."""
        if math.isnan(value):
            return 0.0 if self.is_up_good else 1.0
        return min(1.0, max(0.0, (self.place(value) - self.bottom) / (self.top - self.bottom)))


def make_scale(metric: str, values: Sequence[float]) -> Scale:
    """Return the axis of ``cos``, ``rmse`` or ``sqnr`` that has room for these values."""
    finite = [value for value in values if math.isfinite(value)]
    return {"cos": _scale_cos, "rmse": _scale_rmse, "sqnr": _scale_sqnr}[metric](finite)


def _scale_cos(values: Sequence[float]) -> Scale:
    """Return an axis of nines: 0.9, 0.99, 0.999 are equally far apart."""
    places = [_nines(value) for value in values]
    top = max(3, min(_FINEST, math.ceil(max(places, default=3) - _DIGITS)))
    bottom = max(0, min(1, math.floor(min(places, default=1))))
    ticks = tuple((place, f"{1 - 10.0**-place:.{place}f}") for place in range(bottom, top + 1))
    return Scale(bottom, top, ticks, _nines(SUSPICIOUS_COS), f"COS < {SUSPICIOUS_COS}", True, _nines)


def _scale_rmse(values: Sequence[float]) -> Scale:
    """Return an axis of powers of ten."""
    places = [_decade(value) for value in values if value > 0]
    top = max(0, math.ceil(max(places, default=0) - _DIGITS))
    bottom = max(-_FINEST, min(-2, math.floor(min(places, default=-2))))
    step = math.ceil((top - bottom) / 8)
    ticks = tuple((place, f"{10.0**place:g}") for place in range(bottom, top + 1, step))
    return Scale(bottom, top, ticks, _decade(SUSPICIOUS_RMSE), f"RMSE > {SUSPICIOUS_RMSE}", False, _decade)


def _scale_sqnr(values: Sequence[float]) -> Scale:
    """Return an axis of decibels; the vendor names no threshold for it."""
    values = [max(-_MOST_DECIBELS, min(_MOST_DECIBELS, value)) for value in values]
    top = max(40, 20 * math.ceil(max(values, default=40) / 20))
    bottom = min(0, 20 * math.floor(min(values, default=0) / 20))
    step = 20 * math.ceil((top - bottom) / 160)
    ticks = tuple((place, f"{place} dB") for place in range(bottom, top + 1, step))
    return Scale(bottom, top, ticks, None, "", True, float)


def _nines(value: float) -> float:
    """Return how many nines a COS has: 2 for 0.99; 0 for what is not positive."""
    return -math.log10(min(1.0, max(1 - value, 10.0 ** -(_FINEST + 1))))


def _decade(value: float) -> float:
    """Return the power of ten of an RMSE; infinity for infinity, far below the axis for 0."""
    return math.log10(max(value, 10.0 ** -(_FINEST + 1)))
