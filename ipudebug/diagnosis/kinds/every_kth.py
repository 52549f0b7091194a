"""Every k-th channel is wrong: alignment, or a stride in the channels."""

from __future__ import annotations

import numpy as np

from ipudebug.diagnosis.evidence import Evidence
from ipudebug.diagnosis.verdict import Finding

_MOST = 64


class EveryKth:
    """The channels first, first + k, first + 2k ... hold the error."""

    rank = 7
    least = 0.7

    def examine(self, layer: Evidence) -> Finding | None:
        """Return a finding if the wrong channels are evenly spaced."""
        a, b = layer.view.flat()
        channels = a.shape[1]
        energy = ((a - b) ** 2).sum(axis=0)
        signal = (b * b).sum(axis=0)
        relative = energy / np.maximum(signal, 1e-6 * signal.max() + 1e-300)
        live = signal > 1e-6 * signal.max()
        whole = float(energy.sum())
        best = 0.0, 0, 0
        for k in range(2, min(channels // 2, _MOST) + 1):
            held = np.pad(energy, (0, -channels % k)).reshape(-1, k).sum(axis=0).tolist()
            for first, inside in enumerate(held):
                if inside <= best[0] * 0.9 * whole:  # what it leaves is too much
                    continue
                share = layer.explained(whole - inside)
                if share > best[0] + 0.02 and _is_even(relative[first::k][live[first::k]]):
                    best = share, k, first
        confidence, k, first = best
        if not k or not layer.is_confined(np.arange(channels) % k == first):
            return None
        return Finding(
            "every-kth",
            confidence,
            f"every {_ordinal(k)} channel from {first} on ({len(range(first, channels, k))} of {channels}) holds"
            f" {confidence:.0%} of the error",
            "channels are misplaced or mis-scaled in a pattern: check the alignment of the channels in memory"
            " (eliminateGarbage when dumping), grouped convolutions and how scales are assigned to channels",
            {"k": k, "first": first},
        )


def _is_even(relative: np.ndarray) -> bool:
    """Return whether at least two channels share the error, four of five of them about equally."""
    return relative.size > 1 and float((relative > 0.1 * np.quantile(relative, 0.8)).mean()) >= 0.8


def _ordinal(number: int) -> str:
    """Return ``2nd``, ``3rd``, ``4th`` ..."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 not in (11, 12, 13) else "th"
    return f"{number}{ending}"


KIND = EveryKth()
