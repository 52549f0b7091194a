"""Rows and their jumps -> how the trouble develops, and where to look first.

The vendor's rules, with what "clearly" means in ``onset``:

=============  ========================================================================================================
clean          no row is suspicious (COS < 0.99 or RMSE > 0.1) and none changes clearly
input          the model's input changes clearly: what follows cannot be right
end            a layer changes clearly that nothing else is computed from
abrupt         a layer changes clearly
oscillating    rows are suspicious, none changes clearly, and the rows cross the thresholds back at least twice while
               COS stays above 0.95
gradual        rows are suspicious, none changes clearly: the first that crosses a threshold is the one to examine
=============  ========================================================================================================
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from ipudebug.comparison import LayerResult
from ipudebug.diagnosis.onset import Jump, find_onsets
from ipudebug.diagnosis.verdict import Shape

_OSCILLATION_FLOOR = 0.95


def judge_rows(rows: Sequence[LayerResult], jumps: Sequence[Jump]) -> tuple[Shape, str, list[int]]:
    """Return the shape, the reason for it in one sentence, and the numbers of the rows to look at, likeliest first.

    Args:
        rows: those that could be compared, in order.
        jumps: theirs.
    """
    onsets = find_onsets(jumps)
    crossed = [number for number, row in enumerate(rows) if row.suspicious]
    if not onsets and not crossed:
        return Shape.CLEAN, "no row is suspicious and no layer changes clearly", []
    ranked = sorted(range(len(rows)), key=lambda number: -jumps[number].size)
    if onsets:
        first = onsets[0]
        candidates = list(dict.fromkeys((*onsets, *ranked)))
        return _name_abrupt(rows, first), _explain(rows[first], jumps[first]), candidates
    first = crossed[0]
    candidates = list(dict.fromkeys((first, *ranked)))
    name = rows[first].name
    if _oscillates(rows):
        reason = f"rows cross the thresholds back and forth from {name} on; no layer changes clearly"
        return Shape.OSCILLATING, reason, candidates
    return Shape.GRADUAL, f"{name} is the first to cross a threshold; no layer changes clearly", candidates


def _name_abrupt(rows: Sequence[LayerResult], first: int) -> Shape:
    """Return which of the abrupt shapes a clear change at this row is."""
    if rows[first].sample.info.role == "in":
        return Shape.INPUT
    if first == len(rows) - 1 and len(rows) > 2:
        return Shape.END
    return Shape.ABRUPT


def _explain(row: LayerResult, jump: Jump) -> str:
    """Return why a row changes clearly."""
    if any(row.nans) and row.nans[0] > row.nans[1]:
        return f"{row.name} is the first with NaN"
    words = {
        "total": "error",
        "line": "error along a straight line",
        "channels": "error along a line for each channel",
        "few": "error in a few channels",
        "border": "error at the border",
        "saturated": "error where it is saturated",
        "range": "rounding to 8 bits over a wide range",
    }
    return f"the {words[jump.structure]} of {row.name} is {jump.size:.3g} x what the layers before it let expect"


def _oscillates(rows: Sequence[LayerResult]) -> bool:
    """Return whether the rows cross the thresholds back at least twice, and never by far."""
    states = [row.suspicious for row in rows]
    returns = sum(before and not after for before, after in itertools.pairwise(states))
    return returns >= 2 and min(row.values["cos"] for row in rows) > _OSCILLATION_FLOOR
