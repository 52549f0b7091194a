"""A view of a pair -> how much of its error each kind of structure explains, as shares of the signal's energy.

Errors of rounding are alike everywhere and follow nothing. What follows the values, sits in a few channels, at the
border or where the sample is saturated is systematic, and stands out of the rounding long before COS shows it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ipudebug.diagnose.step import find_step, rounding_energy
from ipudebug.diagnose.view import View

STRUCTURES = ("total", "line", "channels", "few", "border", "saturated", "range")
"""Names of the energies of Traits, see there."""
FLOAT_NOISE = 1e-11
"""Noise to signal (energies) that two float32 implementations of one operator may differ by."""

WIDE_RANGE = 20.0
"""max - min beyond which the vendor advises INT16 for a tensor that is UINT8."""
_LEAST_POSITIONS = 24  # elements of a channel below which a line fitted through them says nothing
_OUTSTANDING = 8.0  # times the median of the channels, in error and in error to signal


@dataclass(frozen=True, slots=True)
class Traits:
    """What one layer shows at a glance.

    Attributes:
        energies: error energy over signal energy: ``total``; what one straight line over the values explains
            (``line``); what a line for each channel explains (``channels``); what a few outstanding channels hold
            (``few``); the excess of the outermost pixels (``border``); where the sample is at its limit and the
            benchmark beyond it (``saturated``); and for a grid of 8 bits over a
            range that is too wide for it, the energy of rounding to it over that of a typical channel (``range``).
        step: distance of the sample's levels; 0.0 if it has none.
        rounding: error energy over signal energy that this step explains; 0.0 where the benchmark lies on the same
            grid.
        is_quantised: whether the sample lies on a grid of 16 bits or fewer and the benchmark does not.
    """

    energies: Mapping[str, float]
    step: float = 0.0
    rounding: float = 0.0
    is_quantised: bool = False


def take_traits(view: View, *, look_for_grid: bool = True) -> Traits:
    """Return the traits of a pair; elements that are not finite count as zero.

    ``look_for_grid`` False leaves ``is_quantised`` to what 8 bits show; looking for 16 takes as long as all the rest.
    """
    a, b = view.flat()
    with np.errstate(invalid="ignore", over="ignore"):
        is_finite = math.isfinite(float(a.sum()) + float(b.sum()))
    if not is_finite:
        a, b = (np.nan_to_num(side, nan=0.0, posinf=0.0, neginf=0.0) for side in (a, b))
    d = a - b
    by_channel = np.einsum("pc,pc->c", d, d)
    total = float(by_channel.sum())
    if not total:
        return Traits(dict.fromkeys(STRUCTURES, 0.0))
    signals = np.einsum("pc,pc->c", b, b)
    signal = float(signals.sum()) or float(np.vdot(a, a))
    lines = (len(d), d.sum(axis=0), b.sum(axis=0), by_channel, signals, np.einsum("pc,pc->c", d, b))
    step = find_step(a)
    energies = {
        "total": total,
        "line": _explained_by_line(d.size, *(np.atleast_1d(sums.sum()) for sums in lines[1:])),
        "channels": _explained_by_line(*lines),
        "few": _in_few_channels(by_channel, signals),
        "border": _at_border(view, d),
        "saturated": _at_limits(a, b, d, step),
    }
    shares = {name: energy / signal for name, energy in energies.items()}
    shares["range"] = _rounding_of_typical_channel(b, step)
    same_grid = step > 0 and abs(find_step(b) / step - 1) < 0.01
    is_quantised = step > 0 or (look_for_grid and find_step(a, 1 << 16) > 0)
    is_quantised = is_quantised and not same_grid and not find_step(b, 1 << 16)
    return Traits(shares, step, 0.0 if same_grid else rounding_energy(step) * d.size / signal, is_quantised)


def _rounding_of_typical_channel(b: np.ndarray, step: float) -> float:
    """Return the energy of rounding over that of the median of the live channels; 0.0 unless the range is wide."""
    if not step or b.max() - b.min() <= WIDE_RANGE:
        return 0.0
    by_channel = np.einsum("pc,pc->c", b, b) / len(b)
    live = by_channel[by_channel > 1e-9 * by_channel.max()]
    return rounding_energy(step) / _median(live) if live.size else 0.0


def _explained_by_line(
    count: int, sum_d: np.ndarray, sum_b: np.ndarray, dd: np.ndarray, bb: np.ndarray, db: np.ndarray
) -> float:
    """Return the error energy that a line over b explains in each of C groups, beyond what chance would.

    Args:
        count: elements of each group.
        sum_d: S(d) of each group.
        sum_b: S(b).
        dd: S(d^2).
        bb: S(b^2).
        db: S(d b).
    """
    if count < _LEAST_POSITIONS:
        return 0.0
    level = sum_b * sum_b / count
    spread = bb - level
    common = db - sum_d * sum_b / count
    varies = spread > 1e-12 * bb
    slope = np.divide(common * common, spread, out=np.zeros_like(spread), where=varies)
    explained = np.minimum(slope + sum_d * sum_d / count, dd)
    chance = 2 * (dd - explained) / (count - 2)  # a line has two parameters
    return float(np.maximum(explained - 4 * chance, 0.0).sum())


def _in_few_channels(by_channel: np.ndarray, signals: np.ndarray) -> float:
    """Return the error energy of channels that stand out, in error and in error to signal."""
    most = float(signals.max())
    if by_channel.size < 3 or not most:
        return 0.0
    relative = by_channel / np.maximum(signals, 1e-6 * most)
    usual = _OUTSTANDING * _median(relative[signals > 1e-6 * most])
    stands_out = (by_channel > _OUTSTANDING * _median(by_channel)) & (relative > usual)
    return float(by_channel[stands_out].sum())


def _median(values: np.ndarray) -> float:
    """Return the upper median; numpy's own takes as long as all of a small layer's traits."""
    return float(np.sort(values)[values.size // 2])


def _at_border(view: View, d: np.ndarray) -> float:
    """Return by how much the outermost pixels' error energy exceeds twice that of as many inner ones."""
    if not view.is_spatial or view.height < 5 or view.width < 5:
        return 0.0
    pixels = np.einsum("pc,pc->p", d, d).reshape(view.a.shape[:3]).sum(axis=0)
    inner = pixels[2:-2, 2:-2] if min(pixels.shape) > 6 else pixels[1:-1, 1:-1]
    usual = 2 * float(inner.sum()) / inner.size
    edges = (pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1])
    return float(sum(max(float(edge.sum()) - usual * edge.size, 0.0) for edge in edges))


def _at_limits(a: np.ndarray, b: np.ndarray, d: np.ndarray, step: float) -> float:
    """Return the error energy where the sample is at its largest or smallest value and the benchmark lies beyond."""
    high, low = a.max(), a.min()
    if not (high + step < b.max() or low - step > b.min()):
        return 0.0
    beyond = ((a == high) & (b > high + step)) | ((a == low) & (b < low - step))
    return float(np.square(d[beyond]).sum())
