"""A verdict as JSON, for machines; docs/diagnose.md describes it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ipudebug.reports.cells import json_value
from ipudebug.reports.conflicts import find_conflicts

if TYPE_CHECKING:
    from ipudebug.diagnosis import Diagnosis, Finding
    from ipudebug.diagnosis.blame import Blame
    from ipudebug.diagnosis.preprocessing import InputDifference

VERSION = 1


def encode_diagnosis(verdict: Diagnosis) -> Iterator[str]:
    """Yield a verdict as one JSON object."""
    compared = [row for row in verdict.rows if row.compared]
    data = {
        "version": VERSION,
        "verdict": verdict.shape.value,
        "clean": verdict.is_clean,
        "reason": verdict.reason,
        "notes": list(verdict.notes),
        "conflicts": find_conflicts(verdict.comparison)[0],
        "layer": verdict.suspects[0].row.name if verdict.suspects else None,
        "kind": verdict.suspects[0].finding.kind if verdict.suspects else None,
        "suspects": [
            {
                "index": suspect.row.index,
                "name": suspect.row.name,
                "values": suspect.row.values,
                "jump": suspect.jump.size,
                "structure": suspect.jump.structure,
                "findings": [_encode_finding(finding) for finding in suspect.findings],
            }
            for suspect in verdict.suspects
        ],
        "renamed": [
            {"sample": item.sample, "benchmark": item.benchmark, "confidence": item.confidence}
            for item in verdict.renamed
        ],
        "layers": [
            {"index": row.index, "name": row.name, "status": row.status, "jump": jump.size, **row.values}
            for row, jump in zip(compared, verdict.jumps, strict=True)
        ],
        "blame": _encode_blame(verdict.blame) if verdict.blame else None,
    }
    yield json.dumps(_strict(data), indent=1) + "\n"


def encode_input_difference(difference: InputDifference) -> Iterator[str]:
    """Yield what differs between two model inputs as one JSON object."""
    data = {
        "version": VERSION,
        "clean": difference.is_clean,
        "summary": difference.summary,
        "findings": [_encode_finding(finding) for finding in difference.findings],
    }
    yield json.dumps(_strict(data), indent=1) + "\n"


def _encode_finding(finding: Finding) -> dict[str, object]:
    """Return a finding."""
    return {
        "kind": finding.kind,
        "confidence": finding.confidence,
        "evidence": finding.evidence,
        "remedy": finding.remedy,
        "numbers": dict(finding.numbers),
    }


def _encode_blame(blame: Blame) -> dict[str, object]:
    """Return what the models add."""
    return {
        "outputs": list(blame.outputs),
        "input_share": blame.input_share,
        "layers": [
            {
                "name": layer.name,
                "accumulated": layer.accumulated,
                "local": layer.local,
                "alone": layer.alone,
                "incoming": layer.incoming,
                "role": layer.role.value,
                "gain": layer.gain,
                "share": layer.share,
            }
            for layer in blame.layers
        ],
        "notes": list(blame.notes),
    }


def _strict(value: object) -> object:
    """Return a value as strict JSON has it: what is not finite becomes a string, numpy's numbers Python's."""
    if isinstance(value, Mapping):
        return {str(key): _strict(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_strict(item) for item in value]
    if isinstance(value, float):
        return json_value(float(value)) if not math.isfinite(value) else float(value)
    return value
