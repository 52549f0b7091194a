"""A line of the table: what was aimed at, what was found, whether it holds."""

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
        unit: "x", "MB", "of".
        note: goes into the table.
    """
    if (at_most is None) == (at_least is None):
        raise ValueError("exactly one of at_most and at_least is the limit")
    if at_most is not None:
        sign, limit, holds = "<=", at_most, spread.median <= at_most
    else:
        assert at_least is not None
        sign, limit, holds = ">=", at_least, spread.median >= at_least
    aim = " ".join(filter(None, [sign, f"{limit:g}", unit, baseline]))
    if spread.count == 1:
        return Row(name, aim, f"{format_number(spread.median)} {unit}, 1 run", holds, note)
    ends = f"{format_number(spread.low)}..{format_number(spread.high)}"
    return Row(name, aim, f"{format_number(spread.median)} ({ends}) {unit}, {spread.count} runs", holds, note)


def format_number(number: float) -> str:
    """Return three digits of a number, none below the point from 100 on."""
    size = abs(number)
    return f"{number:.0f}" if size >= 100 else f"{number:.1f}" if size >= 10 else f"{number:.2f}"
