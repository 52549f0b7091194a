"""A wrong zero point: the whole tensor is moved, perhaps scaled as well."""

from __future__ import annotations

import numpy as np

from ipudebug.diagnosis.evidence import Evidence, fit_line
from ipudebug.diagnosis.verdict import Finding


class ZeroPoint:
    """a = gain x b + offset, where neither side is cut off."""

    rank = 11
    least = 0.8

    def examine(self, layer: Evidence) -> Finding | None:
        """Return a finding if one offset, or a gain and an offset, explain the error."""
        inside = layer.inside
        a, b = (layer.a[inside], layer.b[inside]) if inside.sum() > 0.05 * inside.size else (layer.a, layer.b)
        if a.size < 4:
            return None
        moved = float(np.median(a.reshape(-1) - b.reshape(-1)))
        plain = _explain(layer, 1.0, moved, 1)
        gain, offset = fit_line(a.reshape(-1), b.reshape(-1))
        both = _explain(layer, gain, offset, 2) if gain == gain else 0.0
        if both > plain + 0.05:
            confidence, text = both, f"sample = {gain:.4g} x benchmark {offset:+.4g}"
        else:
            confidence, gain, offset = plain, 1.0, moved
            text = f"sample = benchmark {offset:+.4g}"
        if abs(offset) < 1e-3 * float(np.sqrt(layer.signal / layer.d.size)):
            return None
        steps = f" ({offset / layer.step:+.2f} steps)" if layer.step else ""
        return Finding(
            "zero-point",
            confidence - (0.02 if gain != 1.0 else 0.0),
            f"straight line through the values: {text}{steps}, which explains {confidence:.0%} of the error",
            "compare the tensor's zero point and scale (min/max) in the fixed model with the float range, the bias"
            " that follows the scale, and how the dump was dequantised",
            {"gain": gain, "offset": offset},
        )


def _explain(layer: Evidence, gain: float, offset: float, parameters: int) -> float:
    """Return the share of the error that a line explains; the sample may be cut off at its limits."""
    guess = np.clip(gain * layer.b + offset, layer.a.min(), layer.a.max())
    rest = layer.a - guess
    return layer.explained(float(np.vdot(rest, rest)), parameters)


KIND = ZeroPoint()
