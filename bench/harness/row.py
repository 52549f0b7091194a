"""A line of the table: what was aimed at, what was found, whether it holds; and tables of what is only told."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.harness.turns import Spread


@dataclass(frozen=True)
class Row:
    """One line.

    Attributes:
        name: what was measured.
        aim: what it should be.
        measured: what it is.
        holds: None when it could not be measured; ``note`` says why.
        note: anything a reader must know to trust the line.
    """

    name: str
    aim: str
    measured: str
    holds: bool | None
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Facts without a verdict, kept below the rows of their group.

    Attributes:
        title: its heading.
        columns: their heads.
        lines: a cell for each column.
        note: a paragraph between heading and table; empty for none.
    """

    title: str
    columns: Sequence[str]
    lines: Sequence[Sequence[str]]
    note: str = ""


def judge(
    name: str,
    baseline: str,
    spread: Spread,
    *,
    at_most: float | None = None,
    at_least: float | None = None,
    unit: str = "x",
    note: str = "",
) -> Row:
    """Return the Row that sets a spread against its limit; the median decides.

    Args:
        name: what was measured.
        baseline: what it was measured against; empty for an absolute number.
        spread: the numbers, in ``unit``.
        at_most: the limit when small is good; give exactly one of the two.
        at_least: the limit when large is good.
        unit: such as "x" or "MB"; empty for a share.
        note: goes into the table.
    """
    aim = format_aim(baseline, at_most, at_least, unit)
    holds = spread.median <= at_most if at_most is not None else spread.median >= (at_least or 0)
    middle, ends = format_number(spread.median), f"({format_number(spread.low)}..{format_number(spread.high)})"
    if spread.count == 1:
        return Row(name, aim, " ".join(filter(None, [middle, unit])) + ", 1 run", holds, note)
    return Row(name, aim, " ".join(filter(None, [middle, ends, unit])) + f", {spread.count} runs", holds, note)


def leave_out(
    name: str,
    baseline: str,
    reason: str,
    *,
    at_most: float | None = None,
    at_least: float | None = None,
    unit: str = "x",
) -> Row:
    """Return the Row of something that cannot be measured here, and why."""
    return Row(name, format_aim(baseline, at_most, at_least, unit), "-", None, reason)


def format_aim(baseline: str, at_most: float | None, at_least: float | None, unit: str) -> str:
    """Return a limit as text; raises ValueError unless exactly one of the two is given."""
    if at_most is not None and at_least is None:
        limit = f"<= {at_most:g}"
    elif at_least is not None and at_most is None:
        limit = f">= {at_least:g}"
    else:
        raise ValueError("exactly one of at_most and at_least is the limit")
    return " ".join(filter(None, [limit, unit, baseline]))


def format_number(number: float) -> str:
    """Return three digits of a number, none below the point from 100 on."""
    size = abs(number)
    return f"{number:.0f}" if size >= 100 else f"{number:.1f}" if size >= 10 else f"{number:.2f}"
