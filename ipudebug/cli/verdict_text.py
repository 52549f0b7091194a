"""A verdict as text."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ipudebug.reports.cells import show_name, show_shape

if TYPE_CHECKING:
    from ipudebug.diagnosis import Diagnosis, Finding, Suspect
    from ipudebug.diagnosis.blame import Blame
    from ipudebug.diagnosis.preprocessing import InputDifference

_OTHERS = 2  # further findings shown for a suspect
_LAYERS = 12  # layers shown of a table of blame


def describe_diagnosis(verdict: Diagnosis) -> Iterator[str]:
    """Yield a verdict, a line at a time: the shape of the trouble, the suspects, what the models add."""
    yield f"verdict: {verdict.shape.value}"
    if verdict.suspects:
        yield f" at {show_name(verdict.suspects[0].row.name)}"
    yield f"\n  {show_name(verdict.reason)}\n"
    compared = sum(row.compared for row in verdict.rows)
    alignment = verdict.comparison.alignment
    left = len(alignment.sample_only) + len(alignment.benchmark_only) + len(verdict.rows) - compared
    yield f"  {compared} layers compared, {left} without a partner (ipudebug compare lists them)\n"
    for note in verdict.notes:
        yield f"  {show_name(note)}\n"
    for renamed in verdict.renamed:
        yield (
            f"  renamed: {show_name(renamed.sample)} is {show_name(renamed.benchmark)} of the benchmark"
            f" ({renamed.confidence:.0%} sure: {renamed.evidence})\n"
        )
    for number, suspect in enumerate(verdict.prime, start=1):
        yield from _describe_suspect(number, suspect)
    if verdict.others:
        names = ", ".join(f"{show_name(suspect.row.name)} (jump {suspect.jump.size:.2g})" for suspect in verdict.others)
        yield f"\nless likely, their error is what the layers before them hand on: {names}\n"
    if verdict.blame is not None:
        yield from _describe_blame(verdict.blame)


def _describe_suspect(number: int, suspect: Suspect) -> Iterator[str]:
    """Yield the lines about one layer."""
    row = suspect.row
    size = (
        f"{suspect.jump.size:.3g} x what was to be expected" if math.isfinite(suspect.jump.size) else "NaN is new in it"
    )
    yield (
        f"\n{number}) {show_name(row.name)}  row {row.index}  {show_shape(row)}  COS {row.values['cos']:.6f}"
        f"  RMSE {row.values['rmse']:.6f}  jump: {size}\n"
    )
    yield from _describe_finding(suspect.finding)
    for other in suspect.findings[1 : 1 + _OTHERS]:
        yield f"   or {other.kind} ({other.confidence:.0%}): {show_name(other.evidence)}\n"


def _describe_finding(finding: Finding) -> Iterator[str]:
    """Yield the likeliest kind of fault and its remedy."""
    yield f"   {finding.kind} ({finding.confidence:.0%} sure): {show_name(finding.evidence)}\n"
    yield f"   do: {show_name(finding.remedy)}\n"


def _describe_blame(blame: Blame) -> Iterator[str]:
    """Yield what the models add: each layer's own error, its part in the chain, its share of the final error."""
    from tabulate import tabulate

    layers = sorted(blame.layers, key=lambda layer: -abs(layer.share))[:_LAYERS]
    shown = [layer for layer in blame.layers if layer in layers]
    own = any(layer.alone is not None for layer in blame.layers)
    rows = [
        [
            show_name(layer.name),
            layer.accumulated,
            layer.local,
            *([layer.alone] if own else []),
            layer.incoming,
            layer.role.value + (f" x{layer.gain:.2g}" if layer.role.has_gain else ""),
            f"{layer.share:.1%}",
        ]
        for layer in shown
    ]
    heads = ["layer", "accumulated", "local", *(["alone"] if own else []), "incoming", "role", "share"]
    yield f"\nerrors relative to the benchmark; share of the error of {', '.join(map(show_name, blame.outputs))}\n"
    yield tabulate(rows, heads, floatfmt=".4f", missingval="-", disable_numparse=[len(heads) - 1]) + "\n"
    if blame.input_share:
        yield f"the model's input: {blame.input_share:.1%}\n"
    if len(shown) < len(blame.layers):
        rest = sum(layer.share for layer in blame.layers if layer not in layers)
        yield f"{len(blame.layers) - len(shown)} more layers: {rest:.1%}\n"
    for note in blame.notes:
        yield f"note: {show_name(note)}\n"


def describe_input_difference(difference: InputDifference) -> Iterator[str]:
    """Yield what differs between two model inputs."""
    names = [finding.kind for finding in difference.findings]
    yield f"verdict: {', '.join(names) or 'the inputs agree'}\n"
    yield f"  {difference.summary}\n"
    for finding in difference.findings:
        yield "\n"
        yield from _describe_finding(finding)
