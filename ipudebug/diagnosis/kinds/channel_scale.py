"""Scales for each channel that are wrong in most channels."""

from __future__ import annotations

import numpy as np

from ipudebug.diagnosis.evidence import Evidence
from ipudebug.diagnosis.verdict import Finding

_LEAST_POSITIONS = 6


class ChannelScale:
    """a = gain[channel] x b + offset[channel]."""

    rank = 25
    least = 0.8

    def examine(self, layer: Evidence) -> Finding | None:
        """Return a finding if a line for each channel explains the error."""
        a, b = layer.view.flat()
        count, channels = a.shape
        if channels < 2 or count < _LEAST_POSITIONS:
            return None
        mean_a, mean_b = a.mean(axis=0), b.mean(axis=0)
        spread = ((b - mean_b) ** 2).sum(axis=0)
        common = ((b - mean_b) * (a - mean_a)).sum(axis=0)
        gains = np.divide(common, spread, out=np.ones(channels), where=spread > 1e-12 * (b * b).sum(axis=0))
        offsets = mean_a - gains * mean_b
        rest = a - gains * b - offsets
        wrong = np.abs(gains - 1) > 0.01
        likeness = common / np.sqrt(np.maximum(spread * ((a - mean_a) ** 2).sum(axis=0), 1e-300))
        if wrong.sum() < max(2, 0.6 * channels) or np.median(likeness[spread > 0]) < 0.9:
            return None
        confidence = layer.explained(float(np.vdot(rest, rest)), 2 * channels)
        return Finding(
            "channel-scale",
            confidence,
            f"a line for each channel (gains {gains.min():.3g} to {gains.max():.3g}) explains {confidence:.0%} of the"
            " error",
            "compare the scales of the weights, one an output channel, in the fixed model with max|w| / 127 of the"
            " float weights",
            {"smallest": float(gains.min()), "largest": float(gains.max()), "channels": int(wrong.sum())},
        )


KIND = ChannelScale()
