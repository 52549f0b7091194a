"""A range that is too wide for 8 bits."""

from __future__ import annotations

import numpy as np

from ipudebug.diagnosis.evidence import Evidence
from ipudebug.diagnosis.step import rounding_energy
from ipudebug.diagnosis.traits import WIDE_RANGE
from ipudebug.diagnosis.verdict import Finding


class WideRange:
    """The range is over 20, the values lie on a grid of 256 levels, and the error is that of rounding to it."""

    rank = 30
    least = 0.5

    def examine(self, layer: Evidence) -> Finding | None:
        """Return a finding for a coarse grid over a wide range whose rounding is the error."""
        span = float(layer.b.max() - layer.b.min())
        if not layer.step or span <= WIDE_RANGE:
            return None
        expected = rounding_energy(layer.step) * layer.d.size
        ratio = layer.error / max(expected, 1e-300)
        largest = float(np.abs(layer.d).max()) / layer.step
        if ratio > 4 and largest > 2:
            return None
        db = 10 * np.log10(layer.signal / max(layer.error, 1e-300))
        return Finding(
            "wide-range",
            0.9 if ratio < 2 else 0.7,
            f"range {span:.4g} (over {WIDE_RANGE:g}) in 8 bits: step {layer.step:.4g}, SQNR {db:.1f} dB; the error is"
            f" {ratio:.2f} x that of rounding to it",
            "set the input tensor of the convolution that reads it to INT16 in input_config.ini; where that is no"
            " convolution, those of a few convolutions before and after",
            {"range": span, "step": layer.step, "ratio": ratio, "sqnr": float(db)},
        )


KIND = WideRange()
