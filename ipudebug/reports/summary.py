"""What a comparison comes to: how much was compared, what was left over, the first suspicious layer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ipudebug.align import Fit, Leftover
from ipudebug.comparison import SUSPICIOUS_COS, SUSPICIOUS_RMSE, Comparison, LayerResult
from ipudebug.reports.cells import show_name

_SHOWN = 5  # names listed before "and n more"


class Summary:
    """Collects what the rows of one comparison come to; ``lines`` puts it into words.

    Attributes:
        compared, uncompared: how many pairs have values, and how many have none.
        first: the first suspicious row, or None.
    """

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison
        self.compared = 0
        self.uncompared = 0
        self.first: LayerResult | None = None
        self._told: list[str] = []

    def add(self, row: LayerResult) -> None:
        """Take the next row."""
        if not row.compared:
            self.uncompared += 1
            self._told.append(f"not compared: {show_name(row.name)}: {row.note}")
            return
        self.compared += 1
        if row.note:
            self._told.append(f"{show_name(row.name)}: {row.note}")
        for what, (sample, benchmark) in (("NaN", row.nans), ("Inf", row.infs)):
            if sample or benchmark:
                where = f"{sample} in the sample, {benchmark} in the benchmark"
                self._told.append(f"{show_name(row.name)}: {what}: {where}")
        if row.suspicious and (self.first is None or row.index < self.first.index):
            self.first = row

    @property
    def coverage(self) -> float:
        """Share of the sample's variables (0..1) that can be compared, whichever rows were taken."""
        alignment = self._comparison.alignment
        comparable = sum(pair.fit is not Fit.NONE for pair in alignment.pairs)
        return comparable / (len(alignment.pairs) + len(alignment.sample_only))

    def watch(self, rows: Iterable[LayerResult]) -> Iterator[LayerResult]:
        """Yield the rows, taking each as it passes."""
        for row in rows:
            self.add(row)
            yield row

    def lines(self) -> Iterator[str]:
        """Yield the summary, a line at a time."""
        alignment = self._comparison.alignment
        yield from map(show_name, self._comparison.notes)
        yield from self._told
        total = self.compared + self.uncompared + len(alignment.sample_only)
        yield f"compared {self.compared} of the sample's {total} tensor{'s' if total > 1 else ''}"
        for side, leftovers in (("sample", alignment.sample_only), ("benchmark", alignment.benchmark_only)):
            for reason in dict.fromkeys(item.reason for item in leftovers):
                yield f"only in the {side}: {_names(leftovers, reason)}: {reason}"
        if self.first is None:
            yield f"no layer is suspicious (COS < {SUSPICIOUS_COS} or RMSE > {SUSPICIOUS_RMSE})"
        else:
            why = explain_suspicion(self.first)
            yield f"first suspicious layer: {self.first.index}) {show_name(self.first.name)} ({why})"
            if self.first.sample.info.role == "in":
                yield "that is the model's input: compare the preprocessing of the two sides first"


def _names(leftovers: Sequence[Leftover], reason: str) -> str:
    """Return the number and some of the names that share a reason."""
    names = [show_name(item.name) for item in leftovers if item.reason == reason]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{len(names)} ({', '.join(names[:_SHOWN])}{more})"


def explain_suspicion(row: LayerResult) -> str:
    """Return what makes a row suspicious."""
    if any(row.nans):
        return "NaN"
    cos, rmse = row.values["cos"], row.values["rmse"]
    reasons = []
    if not cos >= SUSPICIOUS_COS:
        reasons.append(f"COS {cos:.6f} < {SUSPICIOUS_COS}")
    if not rmse <= SUSPICIOUS_RMSE:
        reasons.append(f"RMSE {rmse:.6f} > {SUSPICIOUS_RMSE}")
    return ", ".join(reasons)
