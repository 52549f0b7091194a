"""What the page begins with: the result in one sentence, the numbers behind it, and what was compared with what."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from ipudebug.comparison import Comparison, LayerResult
from ipudebug.manifest import FileMark, Manifest, read_manifest
from ipudebug.reports.page.markup import anchor, escape, show_compact
from ipudebug.reports.summary import Summary


def draw_summary(comparison: Comparison, rows: Sequence[LayerResult], summary: Summary) -> Iterator[str]:
    """Yield the result, what contradicts it, and the numbers; ``summary`` has seen the rows."""
    first = summary.first
    lines = list(summary.lines())
    result = next(number for number, line in enumerate(lines) if line.startswith(("no layer is", "first suspicious")))
    kind = "good" if first is None else "bad"
    text = escape(lines[result][0].upper() + lines[result][1:])
    if first is not None:
        text = f'<a href="#{anchor(first)}">{text}</a>'
    more = "".join(f"<p>{escape(line)}</p>" for line in lines[result + 1 :])
    yield f'<section class="result {kind}"><p class="big">{text}</p>{more}</section>\n'
    compared = [row for row in rows if row.compared]
    total = len(comparison.alignment.pairs) + len(comparison.alignment.sample_only)
    numbers = [
        ("compared", f"{len(comparison.names())} of {total}", f"{summary.coverage:.1%} of the sample's tensors"),
        ("suspicious", str(sum(row.suspicious for row in rows)), "COS < 0.99 or RMSE > 0.1"),
        ("equal", str(sum(row.equal for row in rows)), "every element the same"),
    ]
    unequal = [row for row in compared if not row.equal]
    for label, name, choose in (("worst COS", "cos", min), ("worst RMSE", "rmse", max)):
        finite = [row for row in unequal if row.values[name] == row.values[name]]
        if finite:
            worst = choose(finite, key=lambda row: row.values[name])
            numbers.append((label, show_compact(worst.values[name]), f"{worst.index}) {worst.name}"))
    broken = sum(any(row.nans) or any(row.infs) for row in rows)
    if broken:
        numbers.append(("NaN or Inf", str(broken), "layers that contain some"))
    tiles = "".join(
        f"<div><dt>{label}</dt><dd>{escape(number)}<small>{escape(told)}</small></dd></div>"
        for label, number, told in numbers
    )
    yield f'<dl class="tiles">{tiles}</dl>\n'
    notes = "".join(f"<li>{escape(line)}</li>" for line in lines[:result] if not line.startswith("compared "))
    if notes:
        yield f"<details><summary>What was left out, and other remarks</summary><ul>{notes}</ul></details>\n"


def draw_conflicts(conflicts: Sequence[str]) -> Iterator[str]:
    """Yield a warning for each thing that makes the two dumps incomparable."""
    for conflict in conflicts:
        yield f'<section class="result warning"><p class="big">Careful</p><p>{escape(conflict)}</p></section>\n'


def draw_regressions(regressions: Sequence[str]) -> Iterator[str]:
    """Yield what is worse than in the baseline; nothing if nothing is."""
    if regressions:
        listed = "".join(f"<li>{escape(text)}</li>" for text in regressions)
        yield (
            f'<section class="result bad"><p class="big">{len(regressions)} worse than the baseline</p>'
            f"<ul>{listed}</ul></section>\n"
        )


def draw_provenance(comparison: Comparison, tool: str) -> Iterator[str]:
    """Yield the table of what was compared with what: the dumps, and what their manifests say."""
    columns = [_describe(path) for path in (comparison.sample.path, comparison.benchmark.path)]
    facts = dict.fromkeys(name for column in columns for name in column)
    yield '<div class="scroll"><table class="facts"><thead><tr><th></th><th scope="col">sample (suspect)</th>'
    yield '<th scope="col">benchmark (trusted)</th></tr></thead><tbody>\n'
    for fact in facts:
        cells = "".join(f"<td>{column.get(fact, '')}</td>" for column in columns)
        yield f'<tr><th scope="row">{escape(fact)}</th>{cells}</tr>\n'
    yield f"</tbody></table></div>\n<p class=tool>Made by {escape(tool)}.</p>\n"


def _describe(path: str) -> dict[str, str]:
    """Return name -> markup of all that is known of one dump."""
    facts = {"dump": escape(path)}
    if os.path.isfile(path):
        facts["size"] = f"{os.path.getsize(path):,} bytes"
    manifest, note = read_manifest(path)
    if manifest is None:
        facts["manifest"] = escape(note) or "none beside the dump"
        return facts
    return facts | _describe_manifest(manifest)


def _describe_manifest(manifest: Manifest) -> dict[str, str]:
    """Return name -> markup of what a manifest says."""
    facts = {"made by": escape(manifest.tool), "inputs": _show_files(manifest.inputs)}
    facts |= {role.replace("_", " "): _show_files(marks) for role, marks in manifest.files.items()}
    facts["versions"] = escape(", ".join(f"{name} {version}" for name, version in manifest.versions.items()))
    facts["settings"] = escape(", ".join(f"{name}: {value}" for name, value in manifest.settings.items()))
    return facts


def _show_files(marks: Sequence[FileMark]) -> str:
    """Return files with their hashes, one a line."""
    return "<br>".join(
        escape(mark.path) + (f'<br><code title="sha256">{mark.sha256}</code>' if mark.sha256 else "") for mark in marks
    )
