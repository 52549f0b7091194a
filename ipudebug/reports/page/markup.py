"""Text -> markup: everything that comes from a file passes through ``escape`` before it is part of a page."""

from __future__ import annotations

import html

from ipudebug.comparison import LayerResult
from ipudebug.reports.cells import show_valid


def escape(text: str) -> str:
    """Return text as markup that shows it, in an element or in a quoted attribute."""
    return html.escape(show_valid(text))


def anchor(row: LayerResult) -> str:
    """Return the id of a row in the table."""
    return f"layer-{row.index}"


def show_compact(value: float) -> str:
    """Return a value in few digits, for labels."""
    return f"{value:.4g}"
