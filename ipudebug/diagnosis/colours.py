"""Lines between the colours of two inputs, and what normalisation they stand for."""

from __future__ import annotations

import itertools

import numpy as np

from ipudebug.diagnosis.evidence import fit_line


def fit_colours(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return gains and offsets of the lines a = gain b + offset, one a channel, and the error energy they leave.

    Both are [..., C]. A channel of b that does not vary gets the gain 1.
    """
    flat_a, flat_b = a.reshape(-1, a.shape[-1]), b.reshape(-1, b.shape[-1])
    lines = [fit_line(flat_a[:, channel], flat_b[:, channel]) for channel in range(flat_a.shape[1])]
    gains = np.array([gain if gain == gain else 1.0 for gain, _ in lines])
    offsets = flat_a.mean(axis=0) - gains * flat_b.mean(axis=0)
    rest = flat_a - gains * flat_b - offsets
    return gains, offsets, float(np.vdot(rest, rest))


def find_order(a: np.ndarray, b: np.ndarray) -> tuple[int, ...]:
    """Return which channel of b stands at each place of a; the order as it is unless another leaves half the error.

    Each channel is held against each under a line of its own: mean and std may differ as well.
    """
    channels = b.shape[-1]
    own = tuple(range(channels))
    if not 2 <= channels <= 4:
        return own
    left = {
        (place, other): fit_colours(a[..., place : place + 1], b[..., other : other + 1])[2]
        for place in own
        for other in own
    }
    whole = {order: sum(left[pair] for pair in enumerate(order)) for order in itertools.permutations(own)}
    best = min(whole, key=lambda order: whole[order])
    return best if whole[best] < whole[own] / 2 else own


def name_normalisation(
    a: np.ndarray, b: np.ndarray, gains: np.ndarray, offsets: np.ndarray, tolerance: float = 2e-3
) -> str:
    """Return in words what lines between two inputs [positions, C] stand for; "" if both are normalised alike.

    ``tolerance`` is how far a gain may be from 1, and an offset from 0 by the largest value.
    """
    reach = float(np.abs(b).max())
    if (np.abs(gains - 1) < tolerance).all() and (np.abs(offsets) < tolerance * reach).all():
        return ""
    if (gains <= 0).any():
        return "mean or std differ"
    if is_pixels(a) and not is_pixels(b):
        return f"the sample is not normalised; the benchmark is{name_step(1 / gains, -offsets / gains, b)}"
    if is_pixels(b) and not is_pixels(a):
        return f"only the sample is normalised{name_step(gains, offsets, a)}"
    # x -> (x - m) / s maps the pixels 0..255 to the benchmark, and the benchmark to the sample.
    for gain, offset, other, text in (
        (gains, offsets, b, "the sample is normalised twice"),
        (1 / gains, -offsets / gains, a, "the benchmark is normalised twice"),
    ):
        low, high = offset, offset + 255 * gain
        margin = 0.02 * (high - low)
        inside = (other.min(axis=0) >= low - margin) & (other.max(axis=0) <= high + margin)
        inside &= np.ptp(other, axis=0) > 0.3 * (high - low)
        if inside.all() and (gain < 0.9).all():
            return text
    for factor in (255.0, 1 / 255.0):
        if (np.abs(gains / factor - 1) < 0.02).all() and (np.abs(offsets) < 0.02 * np.abs(a).max()).all():
            return f"the sample is {'multiplied' if factor > 1 else 'divided'} by 255 beside the benchmark"
    return "mean or std differ"


def is_pixels(values: np.ndarray) -> bool:
    """Return whether values look like pixels: within 0..255, beyond 16, whole numbers for the most part."""
    if values.min() < 0 or values.max() > 255.5 or values.max() < 16:
        return False
    return bool((np.abs(values - np.rint(values)) < 0.01).mean() > 0.9)


def show_numbers(values: np.ndarray) -> str:
    """Return a few numbers as text."""
    return "[" + ", ".join(f"{value:.4g}" for value in values) + "]"


def name_step(gains: np.ndarray, offsets: np.ndarray, normalised: np.ndarray) -> str:
    """Return what makes ``normalised`` of pixels: x -> gain x + offset is (x - mean) / std."""
    mean, std = -offsets / gains, 1 / gains
    if (np.abs(std - 255) < 3).all() and (np.abs(mean) < 2).all() and normalised.max() < 1.1:
        return ": divided by 255"
    return f": mean {show_numbers(mean)}, std {show_numbers(std)}"
