"""A view of a pair -> how much of its error each kind of structure explains, as shares of the signal's energy.

Errors of rounding are alike everywhere and follow nothing. What follows the values, sits in a few channels, at the
border or where the sample is saturated is systematic, and stands out of the rounding long before COS shows it.

Layers of one shape are looked at together: of a small one the calls take longer than its elements.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ipudebug.diagnosis.step import find_step, find_steps, rounding_energy
from ipudebug.diagnosis.view import View

STRUCTURES = ("total", "line", "channels", "few", "border", "saturated", "range")
"""Names of the energies of Traits, see there."""
FLOAT_NOISE = 1e-11
"""Noise to signal (energies) that two float32 implementations of one operator may differ by."""

WIDE_RANGE = 20.0
"""max - min beyond which the vendor advises INT16 for a tensor that is UINT8."""
_LEAST_POSITIONS = 24  # elements of a channel below which a line fitted through them says nothing
_OUTSTANDING = 8.0  # times the median of the channels, in error and in error to signal
_LARGEST = 1e140  # what is larger counts as infinite
_MOST_CHANNELS = 256  # of which the median is taken; of twice as many every other one


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
        is_quantised: whether the sample is known to lie on a grid of 16 bits or fewer and the benchmark on none.
    """

    energies: Mapping[str, float]
    step: float = 0.0
    rounding: float = 0.0
    is_quantised: bool = False


NO_ERROR = Traits(dict.fromkeys(STRUCTURES, 0.0))
"""Of a layer whose sides are equal."""


def take_traits(view: View) -> Traits:
    """Return the traits of a pair; elements that are not finite count as zero."""
    (traits,) = make_traits(measure_several(view.a[np.newaxis], view.b[np.newaxis], is_spatial=view.is_spatial))
    return replace(traits, is_quantised=is_quantised(view, traits))


def make_traits(table: np.ndarray) -> list[Traits]:
    """Return the traits that the rows of a table of ``measure_several`` stand for, without ``is_quantised``."""
    return [
        Traits(dict(zip(STRUCTURES, shares, strict=True)), step, rounding) for *shares, step, rounding in table.tolist()
    ]


def is_quantised(view: View, traits: Traits) -> bool:
    """Return whether the sample lies on a grid of 16 bits or fewer, and the benchmark on none."""
    if not traits.energies["total"] or (traits.step and not traits.rounding):
        return False
    a, b = _drop_infinite(view.a, view.b)
    return bool((traits.step or find_step(a, 1 << 16)) and not find_step(b, 1 << 16))


def measure_several(
    first: np.ndarray, second: np.ndarray, *, is_spatial: bool = False, sizes: np.ndarray | None = None
) -> np.ndarray:
    """Return a row for each of k layers of one shape: its energies, step and rounding; see ``make_traits``.

    Args:
        first: the samples, float64 [k, N, H, W, C]; what is not finite counts as zero.
        second: the benchmarks.
        is_spatial: whether H and W are those of feature maps.
        sizes: for vectors (N = H = W = 1) of several lengths, how long each is; what follows repeats its first element.
    """
    layers, pictures, height, width, channels = first.shape
    a, b = (side.reshape(layers, -1, channels) for side in (first, second))
    counts = np.full(layers, channels) if sizes is None else sizes
    with np.errstate(invalid="ignore", over="ignore"):
        d, own_b = a - b, b
        if sizes is not None:
            is_own = np.arange(channels) < sizes[:, np.newaxis, np.newaxis]
            d, own_b = d * is_own, b * is_own
        by_channel, signals = (np.einsum("kpc,kpc->kc", side, side) for side in (d, own_b))
    total, signal = by_channel.sum(axis=1), signals.sum(axis=1)
    if not np.isfinite(total.sum() + signal.sum()):
        return measure_several(*_drop_infinite(first, second), is_spatial=is_spatial, sizes=sizes)
    wrong = np.flatnonzero(total)
    if wrong.size < layers:
        table = np.zeros((layers, len(STRUCTURES) + 2))
        if wrong.size:
            stacks = (side[wrong].reshape(wrong.size, pictures, height, width, channels) for side in (a, b))
            own = None if sizes is None else sizes[wrong]
            table[wrong] = measure_several(*stacks, is_spatial=is_spatial, sizes=own)
        return table
    if not signal.all():
        signal = np.where(signal > 0, signal, np.einsum("kpc,kpc->k", a, a))
    steps = find_steps(a.reshape(layers, -1), sizes=sizes)
    energies = (
        total,
        *_follow_lines(d, own_b, by_channel, signals, counts),
        _in_few_channels(by_channel, signals, counts),
        _at_border(d.reshape(layers, pictures, height, width, channels)) if is_spatial else np.zeros(layers),
        _at_limits(a, b, d, steps),
    )
    roundings = np.square(steps) / 12 * d.shape[1] * counts / signal
    on_grid = np.flatnonzero(steps)
    if on_grid.size:
        own_sizes = None if sizes is None else sizes[on_grid]
        other = find_steps(b[on_grid].reshape(on_grid.size, -1), sizes=own_sizes)
        roundings[on_grid[np.abs(other / steps[on_grid] - 1) < 0.01]] = 0.0
    typical = _rounding_of_typical_channels(own_b, steps)
    return np.stack([*(energy / signal for energy in energies), typical, steps, roundings], axis=1)


def _drop_infinite(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both with 0 for what is not finite, or has a square that is not."""
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(a) < _LARGEST, a, 0.0), np.where(np.abs(b) < _LARGEST, b, 0.0)


def _rounding_of_typical_channels(b: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Return the energy of rounding over that of the median of the live channels; 0.0 unless the range is wide."""
    found = np.zeros(len(b))
    spans = b.max(axis=(1, 2)) - b.min(axis=(1, 2))
    for number in np.flatnonzero((steps > 0) & (spans > WIDE_RANGE)):
        layer = b[number]
        by_channel = np.einsum("pc,pc->c", layer, layer) / len(layer)
        live = by_channel[by_channel > 1e-9 * by_channel.max()]
        found[number] = rounding_energy(float(steps[number])) / float(np.sort(live)[live.size // 2])
    return found


def _follow_lines(
    d: np.ndarray, b: np.ndarray, by_channel: np.ndarray, signals: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the error energies that one line over b explains in each layer, and a line for each channel."""
    positions = d.shape[1]
    if positions >= _LEAST_POSITIONS:
        lines = (d.sum(axis=1), b.sum(axis=1), by_channel, signals, np.einsum("kpc,kpc->kc", d, b))
        together = tuple(sums.sum(axis=1, keepdims=True) for sums in lines)
        own = _explained_by_line(np.full(len(d), positions), *lines)
    else:
        sums = (d.sum(axis=(1, 2)), b.sum(axis=(1, 2)), by_channel.sum(axis=1), signals.sum(axis=1))
        together = tuple(part[:, np.newaxis] for part in (*sums, np.einsum("kpc,kpc->k", d, b)))
        own = np.zeros(len(d))
    return _explained_by_line(positions * counts, *together), own


def _explained_by_line(
    counts: np.ndarray, sum_d: np.ndarray, sum_b: np.ndarray, dd: np.ndarray, bb: np.ndarray, db: np.ndarray
) -> np.ndarray:
    """Return the error energy that a line over b explains in each of C groups of k layers, beyond what chance would.

    Args:
        counts: elements of each group of a layer, [k]; a line through few says nothing.
        sum_d: S(d) of each group, [k, C].
        sum_b: S(b).
        dd: S(d^2).
        bb: S(b^2).
        db: S(d b).
    """
    count = np.maximum(counts, 3)[:, np.newaxis]
    level = sum_b * sum_b / count
    spread = bb - level
    common = db - sum_d * sum_b / count
    varies = spread > 1e-12 * bb
    slope = np.divide(common * common, spread, out=np.zeros_like(spread), where=varies)
    explained = np.minimum(slope + sum_d * sum_d / count, dd)
    chance = 2 * (dd - explained) / (count - 2)  # a line has two parameters
    found: np.ndarray = np.maximum(explained - 4 * chance, 0.0).sum(axis=1) * (counts >= _LEAST_POSITIONS)
    return found


def _in_few_channels(by_channel: np.ndarray, signals: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the error energy of channels that stand out, in error and in error to signal; both are [k, C].

    Of each layer the first ``counts`` channels are real.
    """
    if by_channel.shape[1] < 3:
        return np.zeros(len(by_channel))
    thin = slice(None, None, max(1, by_channel.shape[1] // _MOST_CHANNELS))
    some, signal = by_channel[:, thin], signals[:, thin]
    floor = 1e-6 * signals.max(axis=1, keepdims=True)
    live = signal > floor
    ends = some.shape[1] - -(-counts // (thin.step or 1))  # the zeros behind the real ones come first when sorted
    usual = np.sort(some, axis=1)[np.arange(len(counts)), (ends + some.shape[1]) // 2]
    ratios = np.full(some.shape, np.inf)
    np.divide(some, signal, out=ratios, where=live)
    middle = np.take_along_axis(np.sort(ratios, axis=1), live.sum(axis=1, keepdims=True) // 2, axis=1)[:, 0]
    is_told = live.any(axis=1) & (counts >= 3)
    middle[~is_told] = 0.0
    places = np.flatnonzero(by_channel > _OUTSTANDING * usual[:, np.newaxis])  # few: only these are looked at
    layer = places // by_channel.shape[1]
    wrong, right = by_channel.reshape(-1)[places], np.maximum(signals.reshape(-1)[places], floor[layer, 0])
    stands_out = is_told[layer] & (wrong > _OUTSTANDING * middle[layer] * right)
    return np.bincount(layer, np.where(stands_out, wrong, 0.0), len(by_channel))


def _at_border(d: np.ndarray) -> np.ndarray:
    """Return by how much the outermost pixels' error energy exceeds twice that of as many inner ones; [k]."""
    if min(d.shape[2:4]) < 5:
        return np.zeros(len(d))
    pixels = np.vecdot(d, d).sum(axis=1)
    rim = 2 if min(pixels.shape[1:]) > 6 else 1
    usual = 2 * pixels[:, rim:-rim, rim:-rim].mean(axis=(1, 2))
    found = np.zeros(len(pixels))
    for edge in (pixels[:, 0], pixels[:, -1], pixels[:, 1:-1, 0], pixels[:, 1:-1, -1]):
        found += np.maximum(edge.sum(axis=1) - usual * edge.shape[1], 0.0)
    return found


def _at_limits(a: np.ndarray, b: np.ndarray, d: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Return the error energy where the sample is at its largest or smallest value and the benchmark lies beyond."""
    found = np.zeros(len(a))
    for sign in (1, -1):  # the lower limit is the upper one of what is turned round
        limit, beyond = (side.max(axis=(1, 2)) if sign > 0 else -side.min(axis=(1, 2)) for side in (a, b))
        cut = np.flatnonzero(limit + steps < beyond)
        if cut.size:
            places = np.flatnonzero(a[cut] == (sign * limit[cut])[:, np.newaxis, np.newaxis])
            rows, places = cut[places // a[0].size], places % a[0].size
            right, errors = (side.reshape(len(a), -1)[rows, places] for side in (b, d))
            is_beyond = sign * right > (limit + steps)[rows]
            found += np.bincount(rows, np.where(is_beyond, errors * errors, 0.0), len(a))
    return found
