"""Two dumps -> a Diagnosis: each tensor is read once, suspects are looked at again."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ipudebug.align import find_unnamed
from ipudebug.comparison import Comparison, LayerResult, compare
from ipudebug.diagnosis.glance import take_all
from ipudebug.diagnosis.inputs import advise_on_input
from ipudebug.diagnosis.onset import Jump, find_onsets, measure_jumps
from ipudebug.diagnosis.order import find_parents
from ipudebug.diagnosis.suspects import examine_row
from ipudebug.diagnosis.trouble import judge_rows
from ipudebug.diagnosis.verdict import Diagnosis, Renamed, Suspect
from ipudebug.measure import measure_pairs
from ipudebug.metrics import METRICS, VENDOR

if TYPE_CHECKING:
    from ipudebug.dumps import DumpReader

SUSPECTS = 3
FAINT = 2.5
"""A jump below it may be noise."""
_MOST_FAINT = 8  # rows that are looked at for it
Parents = Callable[[Sequence[str]], dict[int, tuple[int, ...]]]
"""Names of rows -> what each is computed from."""


def diagnose(
    *,
    sample: str | os.PathLike[str] | DumpReader,
    benchmark: str | os.PathLike[str] | DumpReader,
    mapping: Mapping[str, str] | None = None,
    metrics: Sequence[str] = VENDOR,
    parents: Parents | None = None,
    choose_jobs: Callable[[Comparison], int] = lambda comparison: 1,
) -> Diagnosis:
    """Return where two dumps part, what kind of fault it looks like, and what to do.

    Args:
        sample: the suspect dump (a path, or a reader from ``open_dump``).
        benchmark: the trusted one.
        mapping: sample name -> benchmark name, for tensors that were renamed.
        metrics: what the rows are to hold; the verdict needs no more than the vendor's.
        parents: what each layer is computed from, where a model tells; otherwise the dumps' ``in`` records do, or the
            order alone.
        choose_jobs: how many processes share a comparison.

    Raises what ``compare`` raises.
    """
    comparison = compare_renamed(sample, benchmark, mapping, metrics)
    comparison.jobs = choose_jobs(comparison)
    return diagnose_rows(comparison, comparison, parents)


def diagnose_rows(comparison: Comparison, rows: Iterable[LayerResult], parents: Parents | None = None) -> Diagnosis:
    """Return the verdict on a comparison whose rows, all of them and in their order, are measured or about to be."""
    stored = _Stored(comparison.benchmark)
    rows = [stored.undo_transposition(row) for row in rows]
    compared = [row for row in rows if row.compared]
    before = parents([row.name for row in compared]) if parents else _find_recorded(comparison, compared)
    measured = measure_jumps(take_all(compared, comparison.jobs), before)
    jumps = [_mind_nan(row, jump) for row, jump in zip(compared, measured, strict=True)]
    jumps = _let_noise_pass(compared, jumps)
    shape, reason, candidates = judge_rows(compared, jumps)
    suspects = [
        Suspect(compared[number], jumps[number], examine_row(compared, number, jumps[number]))
        for number in candidates[:SUSPECTS]
    ]
    renamed = (Renamed(item.sample, item.benchmark, item.confidence, item.evidence) for item in comparison.matches)
    notes = advise_on_input(compared, candidates[0], before) if candidates else ()
    return Diagnosis(
        comparison,
        tuple(rows),
        shape,
        reason,
        tuple(suspects),
        tuple(jumps),
        tuple(renamed),
        parents=before,
        notes=notes,
    )


def compare_renamed(
    sample: str | os.PathLike[str] | DumpReader,
    benchmark: str | os.PathLike[str] | DumpReader,
    mapping: Mapping[str, str] | None,
    metrics: Sequence[str] = VENDOR,
) -> Comparison:
    """Return the comparison; where both sides have tensors that no name pairs, their content is tried."""
    comparison = compare(sample=sample, benchmark=benchmark, mapping=mapping, metrics=metrics)
    infos = {"sample": comparison.sample.infos, "benchmark": comparison.benchmark.infos}
    lonely = find_unnamed(**infos, mapping=mapping or {})
    sizes = [{infos[side][number].size for number in numbers} for side, numbers in zip(infos, lonely, strict=True)]
    if not sizes[0] & sizes[1]:
        return comparison
    return compare(
        sample=comparison.sample, benchmark=comparison.benchmark, mapping=mapping, metrics=metrics, by_content=True
    )


class _Stored:
    """A dump's tensors as they are stored, by name."""

    def __init__(self, dump: DumpReader) -> None:
        self._dump = dump
        self._records: dict[str, list[int]] = {}

    def undo_transposition(self, row: LayerResult) -> LayerResult:
        """Return a row of a cubic tensor as it is stored, if both dumps say that it has one layout.

        ``compare`` turns it where that fits better; here a layer that is turned is a fault.
        """
        info = row.benchmark.info
        if not row.compared or info.layout is not None or len(info.shape) != 4 or len(set(info.shape[1:])) != 1:
            return row
        if not self._records:
            for number, other in enumerate(self._dump.infos):
                self._records.setdefault(other.name, []).append(number)
        records = self._records[info.name]
        benchmark = self._dump.read(records[0])
        if len(records) != 1 or benchmark.info.layout is None or benchmark.info.layout is not row.sample.info.layout:
            return row
        (measured,) = measure_pairs([(row.sample, benchmark)], {name: METRICS[name] for name in row.values})
        return replace(row, benchmark=benchmark, values=measured.values, note="", equal=measured.equal)


def _let_noise_pass(rows: Sequence[LayerResult], jumps: Sequence[Jump]) -> list[Jump]:
    """Return the jumps, those just below 1 that are faint and whose rows, looked at closer, show rounding only.

    Very deep nets make noise with a structure of its own, at the border for one.
    """
    passed = list(jumps)
    for _ in range(_MOST_FAINT):
        onsets = find_onsets(passed)
        if not onsets or passed[onsets[0]].size >= FAINT:
            break
        first = onsets[0]
        if examine_row(rows, first, passed[first])[0].kind != "rounding":
            break
        passed[first] = replace(passed[first], size=math.nextafter(1, 0))
    return passed


def _find_recorded(comparison: Comparison, rows: Sequence[LayerResult]) -> dict[int, tuple[int, ...]] | None:
    """Return what the dumps' ``in`` records tell of the graph: the sample's, or else the benchmark's."""
    from_sample = find_parents([row.sample.info.name for row in rows], comparison.sample.infos)
    if from_sample is not None:
        return from_sample
    return find_parents([row.benchmark.info.name for row in rows], comparison.benchmark.infos)


def _mind_nan(row: LayerResult, jump: Jump) -> Jump:
    """Return an infinite jump for a row that has NaN or infinities which the benchmark has not."""
    worse = row.nans[0] > row.nans[1] or row.infs[0] > row.infs[1]
    return replace(jump, size=math.inf) if worse else jump
