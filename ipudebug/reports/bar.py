"""What a report may be held against beside thresholds: an earlier report (``ipudebug.baseline.Gate``)."""

from __future__ import annotations

from typing import Any, Protocol

from ipudebug.comparison import LayerResult


class Bar(Protocol):
    """Knows of each row, once it has seen it, whether it got worse."""

    def find_worse(self, row: LayerResult) -> str:
        """Return how a row that was seen got worse, in words; "" if it did not."""
        ...

    def list_others(self) -> list[str]:
        """Return the regressions that no row stands for: layers that are gone, means; after the last row."""
        ...

    def list_regressions(self) -> list[str]:
        """Return all regressions; after the last row."""
        ...

    def summarise(self) -> dict[str, Any]:
        """Return what there is to say as plain JSON values; after the last row."""
        ...
