"""Reports: the rows of a comparison -> text.

A report is one module here that exports ``REPORT``. Its name is what ``--format`` takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from ipudebug.registry import Registry

if TYPE_CHECKING:
    from ipudebug.comparison import Comparison, LayerResult
    from ipudebug.reports.bar import Bar
    from ipudebug.thresholds import Threshold


class Report(Protocol):
    """One way to write a comparison down."""

    def render(self, comparison: Comparison, rows: Iterable[LayerResult]) -> Iterator[str]:
        """Yield the report piece by piece, drawing each row only when its turn comes.

        ``rows`` are those of ``comparison`` or some of them, in the order to show them in.
        """
        ...


@runtime_checkable
class Judgement(Protocol):
    """A report that says of each row whether it passes."""

    def hold_against(self, thresholds: Sequence[Threshold], gate: Bar | None = None) -> Report:
        """Return the report that judges by these thresholds and this gate; without any, by the vendor's."""
        ...


def make_report(name: str, thresholds: Sequence[Threshold] = (), gate: Bar | None = None) -> Report:
    """Return the report of that name; one that judges does so by thresholds and gate. Raises UnknownPlugin."""
    report = REPORTS[name]
    return report.hold_against(thresholds, gate) if isinstance(report, Judgement) else report


def list_metrics(name: str) -> tuple[str, ...]:
    """Return the metrics that the report of that name shows beside those asked for."""
    return tuple(getattr(REPORTS[name], "metrics", ()))


REPORTS: Registry[Report] = Registry(
    __name__, "REPORT", "report format", besides=("bar", "cells", "conflicts", "faults", "page", "severity", "summary")
)
