"""A diagnosis -> what the page begins with: where, what kind of fault, how sure, what to do."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ipudebug.comparison import LayerResult
from ipudebug.diagnosis import Diagnosis, Finding, Suspect
from ipudebug.reports.page.markup import anchor, escape, show_compact

_OTHERS = 3  # further findings told of a suspect


def draw_verdict(diagnosis: Diagnosis) -> Iterator[str]:
    """Yield the verdict and its suspects, each with evidence and remedy."""
    kind = "good" if diagnosis.is_clean else "bad"
    yield f'<section class="verdict {kind}"><p class="eyebrow">Verdict</p><p class="headline">{_name(diagnosis)}</p>\n'
    yield f'<p class="reason">{escape(_capitalise(diagnosis.reason))}.</p>\n'
    for note in diagnosis.notes:
        yield f'<p class="note">{escape(_capitalise(note))}</p>\n'
    for renamed in diagnosis.renamed:
        yield (
            f'<p class="note"><b>Renamed:</b> {escape(renamed.sample)} is {escape(renamed.benchmark)} of the benchmark '
            f"({renamed.confidence:.0%} sure: {escape(renamed.evidence)})</p>\n"
        )
    if diagnosis.suspects:
        yield '<ol class="suspects">\n'
        yield from map(_draw_suspect, diagnosis.prime)
        yield "</ol>\n"
    if diagnosis.others:
        names = ", ".join(_link(suspect.row) for suspect in diagnosis.others)
        yield f'<p class="note">Less likely, their error is what the layers before them hand on: {names}</p>\n'
    yield "</section>\n"


def _name(diagnosis: Diagnosis) -> str:
    """Return the verdict in a few words."""
    shape = escape(_capitalise(diagnosis.shape.value))
    if not diagnosis.suspects:
        return shape
    first = diagnosis.suspects[0]
    kind = first.finding.kind
    said = "" if kind == "unknown" else f": {escape(kind.replace('-', ' '))}"
    return f"{shape} at {_link(first.row)}{said}"


def _draw_suspect(suspect: Suspect) -> str:
    """Return one layer: what speaks for which kind of fault, and what to do."""
    row, finding = suspect.row, suspect.finding
    jump = f"jump {suspect.jump.size:.3g}" if math.isfinite(suspect.jump.size) else "NaN or Inf is new in it"
    values = "".join(f"<span>{label} {show_compact(row.values[name])}</span>" for name, label in _VALUES)
    others = "".join(f"<li>{_draw_kind(item)} {escape(item.evidence)}</li>" for item in suspect.findings[1:][:_OTHERS])
    more = f"<details><summary>What else it may be</summary><ul>{others}</ul></details>" if others else ""
    return (
        f'<li><header><b class="layer">{_link(row)}</b>{_draw_kind(finding)}'
        f'<span class="facts">{values}<span>{jump}</span></span></header>'
        f'<p>{escape(_capitalise(finding.evidence))}.</p><p class="do"><b>Do</b> {escape(finding.remedy)}.</p>'
        f"{more}</li>\n"
    )


_VALUES = (("cos", "COS"), ("rmse", "RMSE"))


def _draw_kind(finding: Finding) -> str:
    """Return a kind of fault with how sure it is."""
    sure = f"{finding.confidence:.0%}"
    if finding.kind == "unknown":
        return '<span class="kind">unknown</span>'
    return (
        f'<span class="kind">{escape(finding.kind)}<i class="sure" title="{sure} sure">'
        f'<i style="width:{sure}"></i></i>{sure}</span>'
    )


def _link(row: LayerResult) -> str:
    """Return the name of a layer, leading to its row in the table."""
    return f'<a href="#{anchor(row)}">{escape(row.name)}</a>'


def _capitalise(text: str) -> str:
    """Return a sentence with a capital, unless it begins with a name."""
    first = text.partition(" ")[0]
    return text[:1].upper() + text[1:] if first.isalpha() and first.islower() else text
