"""NaN or infinities that the benchmark does not have."""

from __future__ import annotations

from ipudebug.diagnosis.evidence import Evidence
from ipudebug.diagnosis.verdict import Finding


class NotFinite:
    """The first layer with more NaN or infinite elements than the benchmark makes them."""

    rank = 0
    least = 0.5

    def examine(self, layer: Evidence) -> Finding | None:
        """Return a finding if the sample has more of either."""
        nans, infs = layer.nans[0] - layer.nans[1], layer.infs[0] - layer.infs[1]
        if nans <= 0 and infs <= 0:
            return None
        count = max(nans, 0) + max(infs, 0)
        what = "NaN" if nans >= infs else "infinite"
        size = layer.view.height * layer.view.width * layer.view.channels * layer.view.a.shape[0]
        return Finding(
            "nan",
            1.0,
            f"{count} of {size} elements are {what} in the sample only",
            "look at this operator's input and parameters: a division by zero, the root or logarithm of a negative"
            " value, an overflow, or a buffer that was never written",
            {"nan": layer.nans[0], "inf": layer.infs[0], "elements": size},
        )


KIND = NotFinite()
