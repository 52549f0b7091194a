"""Text -> markup: everything that comes from a file passes through ``escape`` before it is part of a page."""

from __future__ import annotations

import html
import math

from ipudebug.comparison import SUSPICIOUS_COS, SUSPICIOUS_RMSE, LayerResult
from ipudebug.reports.cells import show_valid


def escape(text: str) -> str:
    """Return text as markup that shows it, in an element or in a quoted attribute."""
    return html.escape(show_valid(text))


def anchor(row: LayerResult) -> str:
    """Return the id of a row in the table."""
    return f"layer-{row.index}"


def severity(row: LayerResult) -> float:
    """Return how far a row is beyond the vendor's thresholds: 1 is on one of them, 0 equal, inf a NaN."""
    if row.equal or not row.compared:
        return 0.0
    cos, rmse = row.values["cos"], row.values["rmse"]
    worst = max((1 - cos) / (1 - SUSPICIOUS_COS), rmse / SUSPICIOUS_RMSE)
    return math.inf if any(row.nans) or math.isnan(cos + rmse) else worst


def show_compact(value: float) -> str:
    """Return a value in few digits, for labels."""
    return f"{value:.4g}"
