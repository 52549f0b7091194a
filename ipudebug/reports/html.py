"""One self-contained HTML page: nothing is fetched, no server is needed, without JavaScript it can still be read."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources

from ipudebug import __version__
from ipudebug.comparison import Comparison, LayerResult
from ipudebug.diagnosis import Diagnosis
from ipudebug.diagnosis.judgement import diagnose_rows
from ipudebug.reports.bar import Bar
from ipudebug.reports.cells import metric_names
from ipudebug.reports.conflicts import find_conflicts
from ipudebug.reports.page.blame import draw_blame
from ipudebug.reports.page.curves import draw_curves
from ipudebug.reports.page.graph import draw_graph, draw_legend, find_computed, find_operators
from ipudebug.reports.page.head import draw_conflicts, draw_provenance, draw_regressions, draw_summary
from ipudebug.reports.page.layers import draw_table
from ipudebug.reports.page.markup import escape
from ipudebug.reports.page.roles import find_parts
from ipudebug.reports.page.verdict import draw_verdict
from ipudebug.reports.page.worst import draw_card
from ipudebug.reports.severity import find_severity
from ipudebug.reports.summary import Summary
from ipudebug.thresholds import Threshold

WORST = 10


class Html:
    """The verdict first, then curves, the graph, the worst layers, the table of all, and where the dumps came from.

    Args:
        diagnosis: the verdict, if there is one already; see ``with_diagnosis``.
        gate: an earlier report that the rows are held against.

    Attributes:
        metrics: what it draws beside the vendor's three.
    """

    metrics = ("sqnr",)

    def __init__(self, diagnosis: Diagnosis | None = None, gate: Bar | None = None) -> None:
        self._diagnosis = diagnosis
        self._gate = gate

    def with_diagnosis(self, diagnosis: Diagnosis) -> Html:
        """Return the report that shows this verdict, with what models added to it."""
        return Html(diagnosis, self._gate)

    def hold_against(self, thresholds: Sequence[Threshold], gate: Bar | None = None) -> Html:
        """Return the report that tells what is worse than the gate allows; thresholds change nothing in it."""
        return Html(self._diagnosis, gate)

    def render(self, comparison: Comparison, rows: Iterable[LayerResult]) -> Iterator[str]:
        """Yield the page, once everything in it is known: an error in the middle leaves no beginning of a page.

        Without a verdict the rows are judged, if they are all there are.
        """
        summary = Summary(comparison)
        listed = list(summary.watch(rows))
        diagnosis = self._diagnosis
        if diagnosis is None and len(listed) == len(comparison.alignment.pairs):
            diagnosis = diagnose_rows(comparison, sorted(listed, key=lambda row: row.index))
        regressions = self._gate.list_regressions() if self._gate else []
        yield from list(_draw_page(comparison, listed, summary, diagnosis, regressions))


def _draw_page(
    comparison: Comparison,
    rows: list[LayerResult],
    summary: Summary,
    diagnosis: Diagnosis | None,
    regressions: Sequence[str],
) -> Iterator[str]:
    """Yield the page piece by piece."""
    yield _draw_head(comparison)
    yield from draw_conflicts(find_conflicts(comparison)[0])
    if diagnosis is not None:
        yield from draw_verdict(diagnosis)
    yield from draw_regressions(regressions)
    yield from draw_summary(comparison, rows, summary)
    parts = find_parts(diagnosis) if diagnosis is not None else {}
    curves = draw_curves(rows, _find_first(diagnosis, summary))
    if curves:
        yield f"<section><h2>Over the layers</h2>\n<div class=scroll>{curves}</div></section>\n"
    if diagnosis is not None and diagnosis.blame is not None:
        by_name = {row.benchmark.info.name: row for row in rows if row.compared}
        yield from draw_blame(diagnosis.blame, by_name)
    operators = find_operators(comparison.sample.infos, rows)
    if not operators and diagnosis is not None and diagnosis.parents:
        operators = find_computed(diagnosis.rows, diagnosis.parents)
    if operators:
        yield f"<section><h2>Along the graph</h2>\n{draw_legend(operators, parts)}"
        yield f"<div class=scroll>{draw_graph(operators, parts)}</div></section>\n"
    worst = sorted((row for row in rows if find_severity(row) > 0), key=find_severity, reverse=True)[:WORST]
    if worst:
        title = f"The {len(worst)} that differ most" if len(worst) > 1 else "The one that differs"
        yield f"<section><h2>{title}</h2>\n"
        yield from map(draw_card, worst)
        yield "</section>\n"
    yield "<section><h2>All layers</h2>\n"
    yield from draw_table(rows, metric_names(comparison), parts)
    yield "</section>\n<section><h2>What was compared with what</h2>\n"
    yield from draw_provenance(comparison, f"ipudebug {__version__}")
    yield f"</section>\n</main>\n<script>{_read_part('script.js')}</script></body></html>\n"


def _draw_head(comparison: Comparison) -> str:
    """Return the page up to its heading; its policy lets nothing in but the one script."""
    title = " / ".join(os.path.basename(side.path) for side in (comparison.sample, comparison.benchmark))
    digest = base64.b64encode(hashlib.sha256(_read_part("script.js").encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_read_part('style.css')}</style></head>\n<body><main>\n"
        '<header class="top"><h1>Layer by layer</h1>'
        f"<p><b>{escape(comparison.sample.path)}</b> against <b>{escape(comparison.benchmark.path)}</b></p></header>\n"
    )


def _find_first(diagnosis: Diagnosis | None, summary: Summary) -> LayerResult | None:
    """Return the layer that the curves mark: the first suspect, else the first suspicious row."""
    return diagnosis.suspects[0].row if diagnosis is not None and diagnosis.suspects else summary.first


def _read_part(name: str) -> str:
    """Return the style or the script of the page."""
    return resources.files("ipudebug.reports.page").joinpath(name).read_text(encoding="utf-8")


REPORT = Html()
