"""Two dumps -> a Diagnosis: each tensor is read once, suspects are looked at again."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ipudebug.align import find_unnamed
from ipudebug.comparison import Comparison, LayerResult, compare
from ipudebug.diagnose.evidence import Evidence
from ipudebug.diagnose.fingerprint import take_fingerprint
from ipudebug.diagnose.glance import take_all
from ipudebug.diagnose.kinds import examine_layer
from ipudebug.diagnose.onset import Jump, measure_jumps
from ipudebug.diagnose.order import find_parents
from ipudebug.diagnose.trouble import judge_rows
from ipudebug.diagnose.verdict import Diagnosis, Finding, Renamed, Suspect
from ipudebug.diagnose.view import take_view
from ipudebug.measure import measure_pairs
from ipudebug.metrics import METRICS

if TYPE_CHECKING:
    from ipudebug.dumps import DumpReader

LOOK = 1 << 16
"""Elements of a suspect that the detectors see."""
CLOSER = 1 << 22
"""The same where that does not tell the kind: what moves or reorders elements shows in neighbours only."""
SUSPECTS = 3
_UNSETTLED = ("stale", "unknown", "channel-scale", "rounding")


def diagnose(
    *,
    sample: str | os.PathLike[str] | DumpReader,
    benchmark: str | os.PathLike[str] | DumpReader,
    mapping: Mapping[str, str] | None = None,
    parents: Callable[[Sequence[str]], dict[int, tuple[int, ...]]] | None = None,
    choose_jobs: Callable[[Comparison], int] = lambda comparison: 1,
) -> Diagnosis:
    """Return where two dumps part, what kind of fault it looks like, and what to do.

    Args:
        sample: the suspect dump (a path, or a reader from ``open_dump``).
        benchmark: the trusted one.
        mapping: sample name -> benchmark name, for tensors that were renamed.
        parents: names of rows -> what each is computed from, where a model tells; otherwise the dumps' ``in`` records
            do, or the order alone.
        choose_jobs: how many processes share a comparison.

    Raises what ``compare`` raises.
    """
    comparison = compare_renamed(sample, benchmark, mapping)
    comparison.jobs = choose_jobs(comparison)
    rows, jumps = measure_rows(comparison, parents)
    compared = [row for row in rows if row.compared]
    shape, reason, candidates = judge_rows(compared, jumps)
    suspects = [
        Suspect(compared[number], jumps[number], _examine(compared, number, jumps[number]))
        for number in candidates[:SUSPECTS]
    ]
    renamed = tuple(
        Renamed(match.sample, match.benchmark, match.confidence, match.evidence) for match in comparison.matches
    )
    return Diagnosis(comparison, tuple(rows), shape, reason, tuple(suspects), tuple(jumps), renamed)


def compare_renamed(
    sample: str | os.PathLike[str] | DumpReader,
    benchmark: str | os.PathLike[str] | DumpReader,
    mapping: Mapping[str, str] | None,
) -> Comparison:
    """Return the comparison; where both sides have tensors that no name pairs, their content is tried."""
    comparison = compare(sample=sample, benchmark=benchmark, mapping=mapping)
    infos = {"sample": comparison.sample.infos, "benchmark": comparison.benchmark.infos}
    lonely = find_unnamed(**infos, mapping=mapping or {})
    sizes = [{infos[side][number].size for number in numbers} for side, numbers in zip(infos, lonely, strict=True)]
    if not sizes[0] & sizes[1]:
        return comparison
    return compare(sample=comparison.sample, benchmark=comparison.benchmark, mapping=mapping, by_content=True)


def measure_rows(
    comparison: Comparison, parents: Callable[[Sequence[str]], dict[int, tuple[int, ...]]] | None = None
) -> tuple[list[LayerResult], list[Jump]]:
    """Return all rows of a comparison, and the jumps of those that could be compared."""
    stored = _Stored(comparison.benchmark)
    rows = [stored.undo_transposition(row) for row in comparison]
    compared = [row for row in rows if row.compared]
    before = parents([row.name for row in compared]) if parents else _find_recorded(comparison, compared)
    jumps = measure_jumps(take_all(compared, comparison.jobs), before)
    return rows, [_mind_nan(row, jump) for row, jump in zip(compared, jumps, strict=True)]


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


def _examine(rows: Sequence[LayerResult], number: int, jump: Jump) -> tuple[Finding, ...]:
    """Return the findings about one row; one that a look does not settle is looked at closer."""
    evidence = gather_evidence(rows, number, jump)
    findings = examine_layer(evidence)
    if findings[0].kind in _UNSETTLED and evidence.view.is_lattice and jump.size >= 1:
        findings = examine_layer(gather_evidence(rows, number, jump, CLOSER))
    return findings


def gather_evidence(rows: Sequence[LayerResult], number: int, jump: Jump, limit: int = LOOK) -> Evidence:
    """Return what detectors may ask about one row, from about ``limit`` of its elements."""
    row = rows[number]
    view = take_view(row.sample, row.benchmark, limit)
    info = row.sample.info
    return Evidence(
        row.name,
        row.benchmark.info.op_type or info.op_type,
        view,
        is_input=info.role == "in" or row.benchmark.info.role == "in",
        noise=jump.inherited,
        jump=jump.size,
        nans=row.nans,
        infs=row.infs,
        fingerprint=take_fingerprint(row.sample),
        others=lambda: _fingerprint_others(rows, number),
    )


def _fingerprint_others(rows: Sequence[LayerResult], number: int) -> dict[str, np.ndarray]:
    """Return fingerprints of the benchmark's other tensors of the same size."""
    size = rows[number].sample.info.size
    return {
        row.name: take_fingerprint(row.benchmark)
        for other, row in enumerate(rows)
        if other != number and row.benchmark.info.size == size
    }
