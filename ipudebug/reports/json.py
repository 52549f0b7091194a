"""JSON for machines; ``docs/json.md`` describes every field."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ipudebug import __version__
from ipudebug.comparison import SUSPICIOUS_COS, SUSPICIOUS_RMSE, Comparison, LayerResult
from ipudebug.reports.bar import Bar
from ipudebug.reports.cells import json_value, metric_names
from ipudebug.reports.conflicts import find_conflicts
from ipudebug.reports.summary import Summary
from ipudebug.thresholds import Threshold

VERSION = 1
"""Raised when a field changes its meaning or goes; a new field does not raise it."""


class Json:
    """One object: what was compared, the layers, the leftovers, the summary.

    Args:
        gate: an earlier report that the rows are held against.
    """

    def __init__(self, gate: Bar | None = None) -> None:
        self._gate = gate

    def hold_against(self, thresholds: Sequence[Threshold], gate: Bar | None = None) -> Json:
        """Return the report that tells how the rows compare with the gate; thresholds change nothing in it."""
        return Json(gate)

    def render(self, comparison: Comparison, rows: Iterable[LayerResult]) -> Iterator[str]:
        """Yield the object piece by piece, one layer a line."""
        names = metric_names(comparison)
        head = {
            "version": VERSION,
            "tool": f"ipudebug {__version__}",
            "sample": comparison.sample.path,
            "benchmark": comparison.benchmark.path,
            "metrics": names,
            "thresholds": {"cos": SUSPICIOUS_COS, "rmse": SUSPICIOUS_RMSE},
        }
        yield json.dumps(head, indent=1)[:-2] + ',\n "layers": ['
        summary = Summary(comparison)
        separator = "\n  "
        for row in rows:
            summary.add(row)
            yield separator + json.dumps(_layer(row, names))
            separator = ",\n  "
        alignment = comparison.alignment
        tail = {
            "sample_only": [{"name": item.name, "reason": item.reason} for item in alignment.sample_only],
            "benchmark_only": [{"name": item.name, "reason": item.reason} for item in alignment.benchmark_only],
            "notes": [*comparison.notes],
            "conflicts": find_conflicts(comparison)[0],
            "baseline": self._gate.summarise() if self._gate else None,
            "summary": {
                "compared": len(comparison.names()),
                "uncompared": len(alignment.pairs) - len(comparison.names()),
                "listed": summary.compared + summary.uncompared,
                "coverage": summary.coverage,
                "first_suspicious": summary.first.index if summary.first else None,
            },
        }
        yield "\n ],\n" + json.dumps(tail, indent=1)[2:] + "\n"


def _layer(row: LayerResult, names: list[str]) -> dict[str, Any]:
    """Return one layer as a JSON object."""
    sample, benchmark = row.sample.info, row.benchmark.info
    return {
        "index": row.index if row.compared else None,
        "name": row.name,
        "benchmark_name": benchmark.name,
        "op_type": sample.op_type,
        "op_index": sample.op_index,
        "shape": list(sample.shape),
        "benchmark_shape": list(benchmark.shape),
        "status": row.status,
        "values": {name: json_value(row.values[name]) for name in names} if row.compared else {},
        "nan": list(row.nans),
        "inf": list(row.infs),
        "note": row.note,
    }


REPORT = Json()
