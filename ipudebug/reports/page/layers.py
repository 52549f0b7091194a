"""Rows -> the table of layers: readable as it is, sorted and filtered by the page's script where there is one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from ipudebug.comparison import SUSPICIOUS_COS, SUSPICIOUS_RMSE, LayerResult
from ipudebug.reports.cells import exact_value, labels, show_remark, show_shape, show_value
from ipudebug.reports.page.markup import anchor, escape
from ipudebug.reports.page.roles import Part

STATUSES = ("suspicious", "nan", "inf", "ok", "equal", "uncompared")


def draw_table(
    rows: Sequence[LayerResult], names: Sequence[str], parts: Mapping[int, Part] | None = None
) -> Iterator[str]:
    """Yield the filter and the table, row by row, in the order of ``rows``.

    ``parts`` are what layers do to the error, by their indices; with any there is a column for it.
    """
    counts = {status: sum(row.status == status for row in rows) for status in STATUSES}
    boxes = "".join(
        f'<label class="chip {status}"><input type="checkbox" value="{status}" checked>{status} <b>{count}</b></label>'
        for status, count in counts.items()
        if count
    )
    yield (
        '<div class="filter" hidden><input type="search" id="search" placeholder="Search name, op, shape, remark" '
        f'aria-label="Search the layers">{boxes}<output id="count"></output></div>\n'
        '<div class="scroll"><table id="layers"><thead><tr>'
    )
    for kind, heading in (("num", "#"), ("text", "name"), ("text", "op"), ("text", "shape")):
        yield f'<th scope="col" data-kind="{kind}">{heading}</th>'
    for label in labels(names):
        yield f'<th scope="col" data-kind="num" class="num">{label}</th>'
    for heading in (*(["part in it"] if parts else []), "status", "remarks"):
        yield f'<th scope="col" data-kind="text">{heading}</th>'
    yield "</tr></thead>\n<tbody>\n"
    for row in rows:
        yield _draw_row(row, names, parts or {})
    yield "</tbody></table></div>\n"


def _draw_row(row: LayerResult, names: Sequence[str], parts: Mapping[int, Part]) -> str:
    """Return one line of the table."""
    place = f' id="{anchor(row)}"' if row.compared else ""
    cells = "".join(_draw_value(row, name) for name in names)
    if parts:
        part = parts.get(row.index)
        cells += (
            f'<td><span class="role {part.css}" title="{escape(part.told)}">{part.word}</span></td>'
            if part
            else "<td></td>"
        )
    remark = show_remark(row)
    remark = remark.removeprefix(row.status).removeprefix("; ")  # the status has a column of its own
    return (
        f'<tr{place} data-status="{row.status}">'
        f'<td class="num" data-value="{row.index if row.compared else ""}">{row.index if row.compared else "-"}</td>'
        f'<td class="name">{escape(row.name)}</td><td>{escape(row.sample.info.op_type)}</td>'
        f'<td class="shape">{escape(show_shape(row))}</td>{cells}'
        f'<td><span class="status {row.status}">{row.status}</span></td><td class="remark">{escape(remark)}</td></tr>\n'
    )


def _draw_value(row: LayerResult, name: str) -> str:
    """Return the cell of one metric."""
    if not row.compared:
        return '<td class="num" data-value="">-</td>'
    value = row.values[name]
    bad = " bad" if not row.equal and _is_beyond(name, value) else ""
    exact = "" if math.isnan(value) else exact_value(value).replace("inf", "Infinity")
    return f'<td class="num{bad}" data-value="{exact}">{show_value(value)}</td>'


def _is_beyond(name: str, value: float) -> bool:
    """Return whether a value crosses the vendor's threshold; NaN does."""
    if name == "cos":
        return not value >= SUSPICIOUS_COS
    return name == "rmse" and not value <= SUSPICIOUS_RMSE
