"""A bias that is missing or wrong: each channel is moved by a constant of its own."""

from __future__ import annotations

import numpy as np

from ipudebug.diagnosis.evidence import Evidence
from ipudebug.diagnosis.verdict import Finding

_LEAST_POSITIONS = 3


class Bias:
    """a = b + offset[channel], where neither side is cut off."""

    rank = 20
    least = 0.8

    def examine(self, layer: Evidence) -> Finding | None:
        """Return a finding if one offset for each channel explains the error."""
        a, b = layer.view.flat()
        count, channels = a.shape
        if channels < 2 or count < _LEAST_POSITIONS:
            return None
        low = max(float(a.min()), float(b.min()))
        d = np.where((a > low) & (b > low), a - b, np.nan)
        usable = np.isfinite(d).sum(axis=0) >= 3
        offsets = np.zeros(channels)
        offsets[usable] = np.nanmedian(d[:, usable], axis=0)
        guess = np.clip(b + offsets, a.min(), a.max())
        rest = a - guess
        moved = np.abs(offsets) > 1e-6 * np.abs(b).max()
        if moved.sum() < max(2, channels // 4):
            return None
        confidence = layer.explained(float(np.vdot(rest, rest)), int(usable.sum()))
        return Finding(
            "bias",
            confidence,
            f"each channel is moved by a constant ({offsets.min():+.4g} to {offsets.max():+.4g}), which explains"
            f" {confidence:.0%} of the error",
            "compare the bias of this operator in the two models: it was dropped, or rounded with a wrong scale",
            {"smallest": float(offsets.min()), "largest": float(offsets.max()), "channels": int(moved.sum())},
        )


KIND = Bias()
