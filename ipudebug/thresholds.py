"""Limits that a comparison is held against: which rows miss them, and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ipudebug.comparison import LayerResult
from ipudebug.errors import ConfigError
from ipudebug.metrics import METRICS


@dataclass(frozen=True, slots=True)
class Threshold:
    """A limit of one metric for the layers that a name or pattern stands for ("" means all)."""

    metric: str
    pattern: str
    limit: float
    is_minimum: bool

    @property
    def option(self) -> str:
        """The option that sets it."""
        return f"--{'min' if self.is_minimum else 'max'}-{self.metric}"

    def covers(self, name: str) -> bool:
        """Return whether the threshold is about a layer of that name."""
        return not self.pattern or self.pattern == name or fnmatchcase(name, self.pattern)

    def is_met(self, row: LayerResult) -> bool:
        """Return whether a row is within the limit; equal tensors always are, NaN never is."""
        value = row.values[self.metric]
        return row.equal or (value >= self.limit if self.is_minimum else value <= self.limit)


def parse_threshold(metric: str, text: str, *, is_minimum: bool) -> Threshold:
    """Return the threshold that ``[NAME:]VALUE`` stands for; the name may itself hold colons.

    Raises ConfigError if the value is no number.
    """
    pattern, _, value = text.rpartition(":")
    try:
        limit = float(value)
    except ValueError:
        limit = float("nan")
    if limit != limit:
        option = f"--{'min' if is_minimum else 'max'}-{metric}"
        raise ConfigError(f"{option} {text}: expected [NAME:]VALUE, found {value!r} for the value", f"{option} 0.99")
    return Threshold(metric, pattern, limit, is_minimum)


def parse_share(text: str) -> float:
    """Return 0.8 for ``0.8`` and for ``80%``; raises ConfigError unless it lies in 0..1."""
    try:
        share = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ConfigError(f"--min-coverage {text}: expected a share of the tensors", "write it as 0.8 or as 80%")
    return share


def check_patterns(thresholds: Sequence[Threshold], names: Sequence[str]) -> None:
    """Raise ConfigError for a threshold that no layer of these names is held against: it would pass in silence."""
    for threshold in thresholds:
        if not any(threshold.covers(name) for name in names):
            import difflib

            close = difflib.get_close_matches(threshold.pattern, names, n=3, cutoff=0.5) or names[:3]
            near = [name for name in names if name in close]
            raise ConfigError(
                f"{threshold.option} {threshold.pattern}:{threshold.limit:g}: no layer of that name has a partner",
                "there are: " + ", ".join(near) + (" ..." if len(names) > len(near) else ""),
            )


def find_misses(row: LayerResult, thresholds: Sequence[Threshold]) -> list[str]:
    """Return what a row misses, in words.

    Of several thresholds of one metric that cover it, one that names layers counts more than one for all, and of
    those the last.
    """
    misses = []
    for metric in dict.fromkeys(threshold.metric for threshold in thresholds):
        covering = [item for item in thresholds if item.metric == metric and item.covers(row.name)]
        covering.sort(key=lambda item: bool(item.pattern))
        if covering and not row.compared:
            misses.append(f"{row.name}: not compared")
        elif covering and not covering[-1].is_met(row):
            sign = "<" if covering[-1].is_minimum else ">"
            label = METRICS[metric].label
            misses.append(f"{row.name}: {label} {row.values[metric]:.6f} {sign} {covering[-1].limit:g}")
    return misses
