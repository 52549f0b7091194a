"""A verdict as Markdown, for the summary of a CI job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ipudebug.reports.cells import show_name
from ipudebug.reports.conflicts import find_conflicts
from ipudebug.reports.markdown import ESCAPED

if TYPE_CHECKING:
    from ipudebug.diagnosis import Diagnosis


def draw_diagnosis(verdict: Diagnosis) -> Iterator[str]:
    """Yield the verdict as a heading, and a table of the suspects with what to do."""
    for conflict in find_conflicts(verdict.comparison)[0]:
        yield f"> [!CAUTION]\n> {_escape(conflict)}\n\n"
    at = f" at `{show_name(verdict.suspects[0].row.name).replace('`', '')}`" if verdict.suspects else ""
    yield f"### Verdict: {verdict.shape.value}{at}\n\n{_escape(verdict.reason)}\n\n"
    for note in verdict.notes:
        yield f"> {_escape(note)}\n\n"
    for renamed in verdict.renamed:
        yield f"- renamed: {_escape(renamed.sample)} is {_escape(renamed.benchmark)} of the benchmark\n"
    if verdict.suspects:
        yield "| layer | COS | RMSE | kind | sure | evidence | what to do |\n|:--|--:|--:|:--|--:|:--|:--|\n"
    for suspect in verdict.prime:
        row, finding = suspect.row, suspect.finding
        cells = [
            _escape(row.name), f"{row.values['cos']:.6f}", f"{row.values['rmse']:.6f}", finding.kind,
            f"{finding.confidence:.0%}", _escape(finding.evidence), _escape(finding.remedy),
        ]  # fmt: skip
        yield f"| {' | '.join(cells)} |\n"
    if verdict.others:
        names = ", ".join(_escape(suspect.row.name) for suspect in verdict.others)
        yield f"\nLess likely, their error is what the layers before them hand on: {names}\n"


def _escape(text: str) -> str:
    """Return text that Markdown shows as it is."""
    return show_name(text).translate(ESCAPED)
