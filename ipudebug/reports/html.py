"""One self-contained HTML page: nothing is fetched, no server is needed, without JavaScript it can still be read."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources

from ipudebug import __version__
from ipudebug.comparison import Comparison, LayerResult
from ipudebug.reports.cells import metric_names
from ipudebug.reports.page.curves import draw_curves
from ipudebug.reports.page.graph import draw_graph
from ipudebug.reports.page.head import draw_conflicts, draw_provenance, draw_summary, draw_verdict
from ipudebug.reports.page.layers import draw_table
from ipudebug.reports.page.markup import escape
from ipudebug.reports.page.worst import draw_card
from ipudebug.reports.severity import find_severity
from ipudebug.reports.summary import Summary

WORST = 10


class Html:
    """The result first, then curves, the worst layers, the table of all layers, and where the dumps came from.

    Args:
        verdict: what a diagnosis says, in lines; see ``with_verdict``.

    Attributes:
        metrics: what it draws beside the vendor's three.
    """

    metrics = ("sqnr",)

    def __init__(self, verdict: Sequence[str] = ()) -> None:
        self._verdict = tuple(verdict)

    def with_verdict(self, verdict: Sequence[str]) -> Html:
        """Return the report that begins with a verdict: the first line as its heading, then a paragraph a line."""
        return Html(verdict)

    def render(self, comparison: Comparison, rows: Iterable[LayerResult]) -> Iterator[str]:
        """Yield the page, once everything in it is known: an error in the middle leaves no beginning of a page."""
        summary = Summary(comparison)
        listed = list(summary.watch(rows))
        yield from list(_draw_page(comparison, listed, summary, self._verdict))


def _draw_page(
    comparison: Comparison, rows: list[LayerResult], summary: Summary, verdict: Sequence[str]
) -> Iterator[str]:
    """Yield the page piece by piece."""
    title = " / ".join(os.path.basename(side.path) for side in (comparison.sample, comparison.benchmark))
    script = _read_part("script.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    yield (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_read_part('style.css')}</style></head>\n<body><main>\n"
        '<header class="top"><h1>Layer by layer</h1>'
        f"<p><b>{escape(comparison.sample.path)}</b> against <b>{escape(comparison.benchmark.path)}</b></p></header>\n"
    )
    yield from draw_conflicts(comparison)
    yield from draw_verdict(verdict)
    yield from draw_summary(comparison, rows, summary)
    curves = draw_curves(rows, summary.first)
    if curves:
        yield f"<section><h2>Over the layers</h2>\n<div class=scroll>{curves}</div></section>\n"
    graph = draw_graph(comparison.sample.infos, rows)
    if graph:
        yield f"<section><h2>Along the sample's graph</h2>\n<div class=scroll>{graph}</div></section>\n"
    worst = sorted((row for row in rows if find_severity(row) > 0), key=find_severity, reverse=True)[:WORST]
    if worst:
        yield (
            f"<section><h2>The {len(worst)} that differ most</h2>\n"
            if len(worst) > 1
            else ("<section><h2>The one that differs</h2>\n")
        )
        yield from map(draw_card, worst)
        yield "</section>\n"
    yield "<section><h2>All layers</h2>\n"
    yield from draw_table(rows, metric_names(comparison))
    yield "</section>\n<section><h2>What was compared with what</h2>\n"
    yield from draw_provenance(comparison, f"ipudebug {__version__}")
    yield f"</section>\n</main>\n<script>{script}</script></body></html>\n"


def _read_part(name: str) -> str:
    """Return the style or the script of the page."""
    return resources.files("ipudebug.reports.page").joinpath(name).read_text(encoding="utf-8")


REPORT = Html()
