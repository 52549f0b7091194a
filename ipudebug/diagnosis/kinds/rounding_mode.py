"""Rounding in one direction: the sample is on average half a step too low or too high."""

from __future__ import annotations

import numpy as np

from ipudebug.diagnosis.evidence import Evidence
from ipudebug.diagnosis.verdict import Finding


class RoundingMode:
    """The error lies between zero and one step, always on the same side; or it is none or exactly one step."""

    rank = 8
    least = 0.5

    def examine(self, layer: Evidence) -> Finding | None:
        """Return a finding if the errors of an 8-bit tensor lie on one side, within a step."""
        step = layer.step
        if not step or layer.d.size < 32:
            return None
        errors = layer.d / step
        mean = float(errors.mean())
        low, high = (float(value) for value in np.quantile(errors, (0.01, 0.99)))
        if not 0.15 < abs(mean) < 0.75 or low < -1.35 or high > 1.35:
            return None
        one_sided = float((np.sign(mean) * errors > -0.15).mean())
        if one_sided < 0.85:
            return None
        way = "up" if mean > 0 else "down"
        return Finding(
            "rounding-mode",
            one_sided * 0.98,
            f"{one_sided:.0%} of the errors lie on one side, within a step: {mean:+.2f} steps on average, so the sample"
            f" rounds {way}",
            "a pool or mean of the chip rounds down (up to half a step below the float model is no fault); anything"
            " else means a wrong rounding in this operator",
            {"mean": mean, "step": step},
        )


KIND = RoundingMode()
