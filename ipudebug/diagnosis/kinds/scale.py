"""A wrong scale: the whole tensor is a multiple of what it should be."""

from __future__ import annotations

from ipudebug.diagnosis.evidence import Evidence, fit_line
from ipudebug.diagnosis.verdict import Finding


class Scale:
    """a = gain x b, where neither side is cut off."""

    rank = 10
    least = 0.8

    def examine(self, layer: Evidence) -> Finding | None:
        """Return a finding if one gain explains the error."""
        inside = layer.inside
        a, b = (layer.a[inside], layer.b[inside]) if inside.sum() > 0.05 * inside.size else (layer.a, layer.b)
        a, b = a.reshape(-1), b.reshape(-1)
        if a.size < 3:
            return None
        gain, offset = fit_line(a, b)
        through_zero = float((a @ b) / max(float(b @ b), 1e-300))
        if gain != gain or abs(through_zero - 1) < 1e-3:
            return None
        # The offset must be no more than what the fit is unsure of: otherwise the zero point is wrong as well.
        left = _energy_left(layer, through_zero)
        confidence = layer.explained(left, parameters=1)
        return Finding(
            "scale",
            confidence,
            f"straight line through the values: sample = {through_zero:.4g} x benchmark, which explains"
            f" {confidence:.0%} of the error",
            "compare the tensor's scale (min/max) in the fixed model with the range of the float tensor, and how the"
            " dump was dequantised; calibrate again with images like those that are used",
            {"gain": through_zero, "offset": offset},
        )


def _energy_left(layer: Evidence, gain: float) -> float:
    """Return the error energy that the gain leaves, cut off where the sample is."""
    import numpy as np

    guess = gain * layer.b
    if layer.step:  # a saturated sample explains itself once the gain is known
        guess = np.clip(guess, layer.a.min(), layer.a.max())
    rest = layer.a - guess
    return float(np.vdot(rest, rest))


KIND = Scale()
