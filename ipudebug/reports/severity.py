"""Which rows are worst, and which of them to look at."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence

from ipudebug.comparison import SUSPICIOUS_COS, SUSPICIOUS_RMSE, LayerResult
from ipudebug.errors import AlignmentError


def find_severity(row: LayerResult) -> float:
    """Return how far a row is beyond the vendor's thresholds: 1 is on one of them, 0 equal, inf a NaN."""
    if row.equal or not row.compared:
        return 0.0
    cos, rmse = row.values["cos"], row.values["rmse"]
    worst = max((1 - cos) / (1 - SUSPICIOUS_COS), rmse / SUSPICIOUS_RMSE)
    return math.inf if any(row.nans) or math.isnan(cos + rmse) else worst


def find_suspect(rows: Sequence[LayerResult], name: str | None = None) -> LayerResult | None:
    """Return the row to look at: that of a name, else the first suspicious, else the worst; None if all are equal.

    Raises AlignmentError if no compared row has the name.
    """
    compared = [row for row in rows if row.compared]
    if name is not None:
        named = next((row for row in compared if row.name == name), None)
        if named is None:
            near = difflib.get_close_matches(name, [row.name for row in compared], n=3, cutoff=0.5)
            hint = f"did you mean {' or '.join(near)}?" if near else "ipudebug compare lists the layers"
            raise AlignmentError(f"--layer {name}: no layer of that name was compared", hint)
        return named
    first = next((row for row in compared if row.suspicious), None)
    worst = max(compared, key=find_severity, default=None)
    return first or (worst if worst is not None and find_severity(worst) > 0 else None)
