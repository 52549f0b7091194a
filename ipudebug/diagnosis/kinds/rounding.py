"""Noise of rounding, and nothing else."""

from __future__ import annotations

import numpy as np

from ipudebug.diagnosis.evidence import Evidence, correlate
from ipudebug.diagnosis.step import rounding_energy
from ipudebug.diagnosis.verdict import Finding


class Rounding:
    """The error is not larger than the rounding of the layer, and what it was handed, make it, and follows nothing.

    A layer that does not change clearly is taken for noise as well: its weights are rounded, too.
    """

    rank = 40
    least = 0.5

    def examine(self, layer: Evidence) -> Finding | None:
        """Return a finding if nothing but the expected noise is there."""
        if layer.error == 0:
            return None
        own = rounding_energy(layer.step) * layer.d.size
        expected = max(own + layer.noise * layer.signal, 1e-11 * layer.signal)
        ratio = layer.error / expected
        structure = abs(correlate(layer.d, layer.b)) if layer.b.std() > 0 else 0.0
        if layer.jump >= 1 and (ratio > 12 or structure > 0.5):
            return None
        bits = f"step {layer.step:.4g}, expected {own / layer.d.size:.3g} from it" if layer.step else "no 8-bit grid"
        sqnr = 10 * np.log10(layer.signal / layer.error)
        return Finding(
            "rounding",
            float(np.clip(1.1 - ratio / 24 - structure / 2, 0.5, 0.95)),
            f"MSE {layer.error / layer.d.size:.3g} is {ratio:.2g} x the noise to be expected ({bits}, the rest handed"
            f" on); SQNR {sqnr:.1f} dB",
            "no fault of one layer: raise the convolutions' inputs with the lowest SQNR to INT16, calibrate with more"
            " images, or train with quantisation",
            {"ratio": ratio, "sqnr": float(sqnr), "correlation": structure},
        )


KIND = Rounding()
