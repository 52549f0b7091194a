"""An activation that is missing or has other limits: the error is where one side is cut off and the other is not."""

from __future__ import annotations

import numpy as np

from ipudebug.diagnosis.evidence import Evidence
from ipudebug.diagnosis.verdict import Finding


class Activation:
    """The benchmark is the sample cut off: a limit of the benchmark's that the sample does not keep."""

    rank = 12
    least = 0.7

    def examine(self, layer: Evidence) -> Finding | None:
        """Return a finding if cutting the sample off at the benchmark's limits removes the error."""
        a, b = layer.a, layer.b
        low, high = float(b.min()), float(b.max())
        at_low, at_high = float((b == low).mean()), float((b == high).mean())
        below = at_low > 0.02 and bool((a < low - 2 * layer.step).any())
        above = at_high > 0.005 and bool((a > high + 2 * layer.step).any())
        if not (below or above):
            return None
        guess = np.clip(a, low if below else -np.inf, high if above else np.inf)
        rest = guess - b
        confidence = layer.explained(float(np.vdot(rest, rest)))
        limits = " and ".join(f"{limit:g}" for limit, used in ((low, below), (high, above)) if used)
        return Finding(
            "activation",
            confidence,
            f"the benchmark is cut off at {limits}, the sample is not, which explains {confidence:.0%} of the error",
            "the activation (RELU, RELU6, CLIP) behind this operator was lost or has other limits: compare the two"
            " graphs in Netron",
            {"low": low, "high": high},
        )


KIND = Activation()
