"""Reports: the rows of a comparison -> text.

A report is one module here that exports ``REPORT``. Its name is what ``--format`` takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

from ipudebug.registry import Registry

if TYPE_CHECKING:
    from ipudebug.comparison import Comparison, LayerResult


class Report(Protocol):
    """One way to write a comparison down."""

    def render(self, comparison: Comparison, rows: Iterable[LayerResult]) -> Iterator[str]:
        """Yield the report piece by piece, drawing each row only when its turn comes.

        ``rows`` are those of ``comparison`` or some of them, in the order to show them in.
        """
        ...


REPORTS: Registry[Report] = Registry(__name__, "REPORT", "report format", besides=("cells", "summary"))
