"""A suspicious row -> what kinds of fault its data speak for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.comparison import LayerResult
from ipudebug.diagnosis.evidence import Evidence
from ipudebug.diagnosis.fingerprint import take_fingerprint
from ipudebug.diagnosis.kinds import examine_layer
from ipudebug.diagnosis.onset import Jump
from ipudebug.diagnosis.verdict import Finding
from ipudebug.diagnosis.view import take_view

LOOK = 1 << 16
"""Elements of a suspect that the detectors see."""
CLOSER = 1 << 22
"""The same where that does not tell the kind: what moves or reorders elements shows in neighbours only."""
_UNSETTLED = ("stale", "unknown", "channel-scale", "rounding")


def examine_row(rows: Sequence[LayerResult], number: int, jump: Jump) -> tuple[Finding, ...]:
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
