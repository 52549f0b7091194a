"""An output that does not depend on anything."""

from __future__ import annotations

from ipudebug.diagnosis.evidence import Evidence
from ipudebug.diagnosis.verdict import Finding


class Constant:
    """One value everywhere, or one for each channel, where the benchmark varies."""

    rank = 1
    least = 0.5

    def examine(self, layer: Evidence) -> Finding | None:
        """Return a finding if the sample is constant and the benchmark is not."""
        a, b = layer.view.flat()
        low, high = float(a.min()), float(a.max())
        if b.max() - b.min() <= 1e-6 * abs(b).max():
            return None
        if high - low <= 1e-6 * max(abs(low), abs(high)):
            where = "all zero" if high == 0 else f"{high:g} everywhere"
        elif len(a) > 8 and a.shape[1] > 1 and ((a == a[0]).all(axis=0) & (b != b[0]).any(axis=0)).all():
            where = "constant in every channel"
        else:
            return None
        return Finding(
            "constant",
            1.0,
            f"the sample is {where}; the benchmark varies from {b.min():g} to {b.max():g}",
            "the operator did not run or did not write: check its place in the graph, its inputs, and its scale"
            " (one that is far too large rounds everything to one level)",
            {"value": high},
        )


KIND = Constant()
