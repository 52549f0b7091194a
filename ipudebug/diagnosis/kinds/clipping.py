"""Clipping: the sample is cut off at the end of its range."""

from __future__ import annotations

import numpy as np

from ipudebug.diagnosis.evidence import Evidence
from ipudebug.diagnosis.verdict import Finding


class Clipping:
    """Where the sample is at its largest or smallest value the benchmark goes beyond."""

    rank = 5
    least = 0.6

    def examine(self, layer: Evidence) -> Finding | None:
        """Return a finding if the saturated elements hold the error."""
        a, b = layer.a, layer.b
        low, high = float(a.min()), float(a.max())
        margin = layer.step or 1e-6 * max(abs(low), abs(high))
        at_high, at_low = (a >= high - 1e-6 * abs(high)) & (b > high), (a <= low + 1e-6 * abs(low)) & (b < low)
        beyond = at_high | at_low
        share = float(beyond.mean())
        if beyond.sum() < 2 or not (high > low) or float(np.abs(layer.d[beyond]).max()) < margin:
            return None
        rest = np.where(beyond, 0.0, layer.d)
        confidence = layer.explained(float(np.vdot(rest, rest)))
        ends = [f"{high:g} (benchmark up to {b.max():g})"] if at_high.any() else []
        ends += [f"{low:g} (benchmark down to {b.min():g})"] if at_low.any() else []
        channels = np.flatnonzero(beyond.any(axis=(0, 1, 2)))
        return Finding(
            "clipping",
            confidence,
            f"{share:.2%} of the elements, in {channels.size} of {layer.view.channels} channels, are cut off at"
            f" {' and '.join(ends)}; they hold {confidence:.0%} of the error",
            "the range of the tensor is too small: calibrate with images that reach it, or set its min/max to the"
            " float range",
            {"share": share, "low": low, "high": high, "channels": int(channels.size)},
        )


KIND = Clipping()
