"""What speaks against a row, for the reports that judge: by the thresholds asked for, or else by the vendor's."""

from __future__ import annotations

from collections.abc import Sequence

from ipudebug.comparison import LayerResult
from ipudebug.reports.bar import Bar
from ipudebug.reports.cells import labels
from ipudebug.reports.summary import explain_suspicion
from ipudebug.thresholds import Threshold, find_misses


def find_faults(row: LayerResult, thresholds: Sequence[Threshold], gate: Bar | None = None) -> list[str]:
    """Return what speaks against a row, in words; a pair that could not be compared fails only where it was asked for.

    By the thresholds and the gate asked for; without either by the vendor's thresholds. Raises KeyError if a threshold
    is about a metric that was not measured.
    """
    faults = [miss.removeprefix(f"{row.name}: ") for miss in find_misses(row, thresholds)]
    if gate is not None:
        worse = gate.find_worse(row)
        return faults + ([f"worse than the baseline: {worse}"] if worse else [])
    return faults if thresholds or not row.suspicious else [explain_suspicion(row)]


def tell_values(row: LayerResult) -> str:
    """Return all values of a row on one line; "" if it has none."""
    names = list(row.values)
    return "  ".join(f"{label} {row.values[name]:.6f}" for name, label in zip(names, labels(names), strict=True))
