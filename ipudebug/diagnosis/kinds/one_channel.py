"""A single channel that is wrong."""

from __future__ import annotations

import numpy as np

from ipudebug.diagnosis.evidence import Evidence, correlate, fit_line
from ipudebug.diagnosis.verdict import Finding


class OneChannel:
    """One channel holds the error."""

    rank = 6
    least = 0.7

    def examine(self, layer: Evidence) -> Finding | None:
        """Return a finding if all other channels are as they should be."""
        a, b = layer.view.flat()
        channels = a.shape[1]
        if channels < 3:
            return None
        energy = ((a - b) ** 2).sum(axis=0)
        worst = int(energy.argmax())
        if not layer.is_confined(np.arange(channels) == worst) or layer.count_alike(worst) > 0:
            return None
        confidence = layer.explained(float(energy.sum() - energy[worst]))
        gain, offset = fit_line(a[:, worst], b[:, worst])
        own = correlate(a[:, worst], b[:, worst])
        how = f" (there sample = {gain:.4g} x benchmark {offset:+.4g})" if own > 0.95 and gain == gain else ""
        return Finding(
            "one-channel",
            confidence,
            f"channel {worst} of {channels} holds {energy[worst] / max(layer.error, 1e-300):.1%} of the error{how}",
            f"compare the weights, bias and scale of output channel {worst} of this operator in the two models",
            {"channel": worst, "gain": gain, "offset": offset, "correlation": own},
        )


KIND = OneChannel()
