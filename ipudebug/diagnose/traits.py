"""A view of a pair -> how much of its error each kind of structure explains, as shares of the signal's energy.

Errors of rounding are alike everywhere and follow nothing. What follows the values, sits in a few channels, at the
border or where the sample is saturated is systematic, and stands out of the rounding long before COS shows it.
"""

from __future__ import annotations

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


def take_traits(view: View) -> Traits:
    """Return the traits of a pair; elements that are not finite count as zero."""
    a, b = (np.nan_to_num(side, nan=0.0, posinf=0.0, neginf=0.0) for side in view.flat())
    d = a - b
    signal = float(np.vdot(b, b))
    if d.size == 0 or not d.any():
        return Traits(dict.fromkeys(STRUCTURES, 0.0))
    step = find_step(a)
    if signal == 0.0:
        signal = float(np.vdot(a, a))
    by_channel = np.einsum("pc,pc->c", d, d)
    energies = {
        "total": float(by_channel.sum()),
        "line": _explained_by_line(d.reshape(-1, 1), b.reshape(-1, 1)),
        "channels": _explained_by_line(d, b),
        "few": _in_few_channels(by_channel, b),
        "border": _at_border(view, d),
        "saturated": _at_limits(a, b, d, step),
    }
    shares = {name: energy / signal for name, energy in energies.items()}
    shares["range"] = _rounding_of_typical_channel(b, step)
    same_grid = step > 0 and abs(find_step(b) / step - 1) < 0.01
    is_quantised = not same_grid and find_step(a, 1 << 16) > 0 and not find_step(b, 1 << 16)
    return Traits(shares, step, 0.0 if same_grid else rounding_energy(step) * d.size / signal, is_quantised)


def _rounding_of_typical_channel(b: np.ndarray, step: float) -> float:
    """Return the energy of rounding over that of the median of the live channels; 0.0 unless the range is wide."""
    if not step or b.max() - b.min() <= WIDE_RANGE:
        return 0.0
    by_channel = np.einsum("pc,pc->c", b, b) / len(b)
    live = by_channel[by_channel > 1e-9 * by_channel.max()]
    return rounding_energy(step) / float(np.median(live)) if live.size else 0.0


def _explained_by_line(d: np.ndarray, b: np.ndarray) -> float:
    """Return the energy of the errors [positions, channels] that a line over b explains, beyond what chance would."""
    count = d.shape[0]
    if count < _LEAST_POSITIONS:
        return 0.0
    sums_d, sums_b = d.sum(axis=0), b.sum(axis=0)
    spread = np.maximum(np.einsum("pc,pc->c", b, b) - sums_b * sums_b / count, 0.0)
    common = np.einsum("pc,pc->c", d, b) - sums_d * sums_b / count
    energy = np.einsum("pc,pc->c", d, d)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(spread > 1e-12 * (sums_b * sums_b / count), common * common / spread, 0.0)
    explained = np.minimum(np.nan_to_num(slope) + sums_d * sums_d / count, energy)
    chance = 2 * (energy - explained) / (count - 2)  # a line has two parameters
    return float(np.maximum(explained - 4 * chance, 0.0).sum())


def _in_few_channels(by_channel: np.ndarray, b: np.ndarray) -> float:
    """Return the error energy of channels that stand out, in error and in error to signal."""
    if by_channel.size < 3:
        return 0.0
    signal = np.einsum("pc,pc->c", b, b)
    live = signal > 1e-6 * signal.max()
    if not live.any():
        return 0.0
    relative = by_channel / np.maximum(signal, 1e-6 * signal.max())
    stands_out = (by_channel > _OUTSTANDING * np.median(by_channel)) & (
        relative > _OUTSTANDING * np.median(relative[live])
    )
    return float(by_channel[stands_out].sum())


def _at_border(view: View, d: np.ndarray) -> float:
    """Return by how much the outermost pixels' error energy exceeds twice that of as many inner ones."""
    if not view.is_spatial or view.height < 5 or view.width < 5:
        return 0.0
    pixels = (d * d).sum(axis=1).reshape(view.a.shape[:3]).mean(axis=0)
    inner = pixels[2:-2, 2:-2] if min(pixels.shape) > 6 else pixels[1:-1, 1:-1]
    usual = 2 * float(inner.mean())
    edges = (pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1])
    return float(view.a.shape[0] * sum(max(float((edge - usual).sum()), 0.0) for edge in edges))


def _at_limits(a: np.ndarray, b: np.ndarray, d: np.ndarray, step: float) -> float:
    """Return the error energy where the sample is at its largest or smallest value and the benchmark lies beyond."""
    high, low = a.max(), a.min()
    beyond = ((a == high) & (b > high + step)) | ((a == low) & (b < low - step))
    return float(np.square(d[beyond]).sum())
