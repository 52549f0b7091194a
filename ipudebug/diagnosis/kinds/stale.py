"""Data of another run or of another tensor."""

from __future__ import annotations

import numpy as np

from ipudebug.diagnosis.evidence import Evidence, correlate
from ipudebug.diagnosis.verdict import Finding

_REMEDY = (
    "the buffer was not written in this run: check that both dumps were made from one input (image, preprocess, norm"
    " flag), and that no other tensor shares the buffer"
)
_LEAST_ELEMENTS = 16


class Stale:
    """Values distributed like the benchmark's that do not follow them, or that follow another tensor's.

    Believed only where nothing explains the sample by the benchmark itself.
    """

    rank = 35
    least = 0.5

    def examine(self, layer: Evidence) -> Finding | None:
        """Return a finding if the sample is a plausible tensor, but not this one."""
        a, b = layer.view.flat()
        if a.size < _LEAST_ELEMENTS or not a.std() > 0 or not b.std() > 0:
            return None
        own = correlate(a, b)
        if own > 0.9:
            return None
        mine = layer.fingerprint
        likenesses = {} if mine is None else {name: correlate(mine, other) for name, other in layer.others().items()}
        for name, likeness in likenesses.items():
            if likeness > 0.98 and likeness > own + 0.1:
                return Finding(
                    "stale",
                    0.9 * likeness,
                    f"the sample holds what the benchmark has in {name} (correlation {likeness:.4f}, own {own:.4f})",
                    _REMEDY,
                    {"correlation": own, "holds": name, "likeness": likeness},
                )
        distance = _distance(a, b)
        if distance > 0.35:
            return None
        confidence = float(np.clip(0.88 - distance / 2 - max(own, 0.0) / 5, 0.0, 0.88))
        return Finding(
            "stale",
            confidence,
            f"distributed like the benchmark (quantiles {distance:.0%} apart) but not following it (correlation"
            f" {own:.3f})",
            _REMEDY,
            {"correlation": own, "distance": distance},
        )


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    """Return the mean distance of the quantiles of two tensors, by the benchmark's standard deviation."""
    levels = np.linspace(0, 1, 33)
    return float(np.abs(np.quantile(a, levels) - np.quantile(b, levels)).mean() / b.std())


KIND = Stale()
