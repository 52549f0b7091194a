"""An earlier JSON report as the bar: which layers got worse than it, which better, and is it a regression?"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ipudebug.comparison import LayerResult
from ipudebug.errors import ConfigError
from ipudebug.files import OpenFile
from ipudebug.metrics import METRICS
from ipudebug.reports.cells import show_name
from ipudebug.reports.json import VERSION

GATED = ("cos", "rmse")
"""Metrics that are held against the baseline unless others are named."""
LAYER_SLACK = 0.005
OVERALL_SLACK = 0.001
_SHOWN = 20  # names of better and new layers listed before "and n more"; worse ones are all listed
_DIGITS = 1e-9  # a difference below it is the rounding of decimals

Key = tuple[str, int]
"""A tensor's name, and which of several of that name it is."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """A report to be no worse than.

    Attributes:
        path: the file.
        layers: values of each layer, by metric; empty where the pair was not compared.
        unlisted: how many layers the report left out (``--top``).
    """

    path: str
    layers: Mapping[Key, Mapping[str, float]]
    unlisted: int


def load_baseline(path: str) -> Baseline:
    """Return the report at ``path``; raises ConfigError unless it is a JSON report of this version."""
    hint = "write one with: ipudebug compare SAMPLE BENCHMARK --format json -o baseline.json"
    file = OpenFile(path, "--baseline", ConfigError)
    try:
        report = json.loads(file.read(file.size, 0))
    except (ValueError, RecursionError):
        raise ConfigError(f"--baseline {path}: expected a JSON report, found no JSON", hint) from None
    if not isinstance(report, dict) or not {"version", "layers", "summary"} <= report.keys():
        raise ConfigError(f"--baseline {path}: expected a report of ipudebug compare, found other JSON", hint)
    if report["version"] != VERSION:
        raise ConfigError(f"--baseline {path}: version {report['version']} of the report, expected {VERSION}", hint)
    layers: dict[Key, Mapping[str, float]] = {}
    names: Counter[str] = Counter()
    place = "layers"
    try:
        for number, layer in enumerate(report["layers"]):
            place = f"layer {number}"
            name = str(layer["name"])
            layers[name, names[name]] = _read_values(layer)
            names[name] += 1
        place = "summary"
        total = report["summary"]["compared"] + report["summary"]["uncompared"]
        return Baseline(path, layers, max(0, int(total) - len(layers)))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as reason:
        raise ConfigError(f"--baseline {path}: damaged at {place} ({reason!r})", hint) from None


def parse_slack(option: str, texts: Sequence[str], default: float) -> dict[str, float]:
    """Return metric -> slack for texts ``[METRIC:]VALUE``; a value without a metric is for COS and RMSE.

    Raises ConfigError for what is no number >= 0, UnknownPlugin for what is no metric.
    """
    slack = dict.fromkeys(GATED, default)
    for text in texts:
        name, _, number = text.rpartition(":")
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not value >= 0:
            raise ConfigError(f"{option} {text}: expected [METRIC:]VALUE with a value >= 0", f"{option} rmse:0.01")
        slack |= {METRICS.find(name): value} if name else dict.fromkeys(GATED, value)
    return slack


class Gate:
    """Holds the rows of one comparison against a baseline.

    Args:
        baseline: what to be no worse than.
        layer_slack: metric -> by how much one layer may be worse.
        overall_slack: metric -> by how much the mean of the layers that both have may be worse.
        is_whole: whether every layer is expected; False where only some were selected.
    """

    def __init__(
        self,
        baseline: Baseline,
        layer_slack: Mapping[str, float],
        overall_slack: Mapping[str, float],
        *,
        is_whole: bool = True,
    ) -> None:
        self.worse: list[str] = []
        self.better: list[str] = []
        self.new: list[str] = []
        self._same = 0
        self._by_row: dict[int, str] = {}
        self._kept: list[LayerResult] = []  # so that no other row gets the id of one that is told of
        self._baseline = baseline
        self._layer_slack = layer_slack
        self._overall_slack = overall_slack
        self._is_whole = is_whole
        self._names: Counter[str] = Counter()
        self._pairs: dict[str, list[tuple[float, float]]] = {name: [] for name in overall_slack}
        for name in (*layer_slack, *overall_slack):
            if not all(name in values for values in baseline.layers.values() if values):
                raise ConfigError(
                    f"--baseline {baseline.path}: has no {METRICS[name].label}", f"write it anew with --metric {name}"
                )

    @property
    def metrics(self) -> list[str]:
        """The metrics that rows must have."""
        return list(dict.fromkeys((*self._layer_slack, *self._overall_slack)))

    def add(self, row: LayerResult) -> None:
        """Take the next row."""
        known = len(self.worse)
        self._take(row)
        if len(self.worse) > known:
            self._by_row[id(row)] = self.worse[-1].removeprefix(f"{show_name(row.name)}: ")
            self._kept.append(row)

    def find_worse(self, row: LayerResult) -> str:
        """Return how a row that ``add`` was given got worse, in words; "" if it did not."""
        return self._by_row.get(id(row), "")

    def _take(self, row: LayerResult) -> None:
        """Sort a row into worse, better, new or the same."""
        key = (row.name, self._names[row.name])
        self._names[row.name] += 1
        before = self._baseline.layers.get(key)
        shown = show_name(row.name)
        if before is None:
            self.new.append(shown)
        elif not row.compared:
            self._sort(f"{shown}: no longer compared: {row.note}" if before else "", "")
        elif not before:
            self._sort("", f"{shown}: compared now")
        else:
            now = read_values(row)
            for name, pairs in self._pairs.items():
                if math.isfinite(before[name]) and math.isfinite(now[name]):
                    pairs.append((before[name], now[name]))
            self._sort(*self._judge(shown, before, now))

    def _sort(self, worse: str, better: str) -> None:
        """Keep what there is to say of one layer."""
        if worse:
            self.worse.append(worse)
        elif better:
            self.better.append(better)
        else:
            self._same += 1

    def _judge(self, name: str, before: Mapping[str, float], now: Mapping[str, float]) -> tuple[str, str]:
        """Return what of a layer is worse by more than the slack, and what is better; "" for nothing."""
        worse, better = [], []
        for metric, slack in self._layer_slack.items():
            loss = find_loss(metric, before[metric], now[metric])
            text = f"{METRICS[metric].label} {before[metric]:.6f} -> {now[metric]:.6f}"
            if loss > slack + _DIGITS:
                worse.append(text)
            elif loss < -slack - _DIGITS:
                better.append(text)
        return (f"{name}: {', '.join(worse)}" if worse else ""), (f"{name}: {', '.join(better)}" if better else "")

    def _find_overall(self) -> Iterator[tuple[str, bool]]:
        """Yield for each metric the means before and now, and whether that is a regression."""
        for metric, pairs in self._pairs.items():
            if pairs:
                before, now = (math.fsum(side) / len(pairs) for side in zip(*pairs, strict=True))
                is_worse = find_loss(metric, before, now) > self._overall_slack[metric] + _DIGITS
                yield f"mean {METRICS[metric].label} {before:.6f} -> {now:.6f}", is_worse

    def _find_gone(self) -> list[str]:
        """Return the layers of the baseline that were compared then and are not there now."""
        if not self._is_whole:
            return []
        gone = [key[0] for key, values in self._baseline.layers.items() if values and key[1] >= self._names[key[0]]]
        return [f"{show_name(name)}: gone" for name in gone]

    def list_regressions(self) -> list[str]:
        """Return what is worse than the baseline by more than the slack, in words; call it behind the last row."""
        return [*self.worse, *self.list_others()]

    def list_others(self) -> list[str]:
        """Return the regressions that no row stands for: layers that are gone, means that got worse."""
        overall = [f"overall: {text}" for text, is_worse in self._find_overall() if is_worse]
        return [*self._find_gone(), *overall]

    def summarise(self) -> dict[str, Any]:
        """Return what there is to say as plain JSON values; call it behind the last row."""
        return {
            "path": self._baseline.path,
            "regressions": self.list_regressions(),
            "better": list(self.better),
            "new": list(self.new),
            "same": self._same,
            "overall": [text for text, _ in self._find_overall()],
        }

    def lines(self) -> Iterator[str]:
        """Yield what got better, what is new and what it comes to; what got worse is in ``list_regressions``."""
        if self._baseline.unlisted:
            yield f"baseline: {self._baseline.path} leaves out {self._baseline.unlisted} layers: they count as new"
        for what, texts in (("better", self.better), ("new", self.new)):
            for text in texts[:_SHOWN]:
                yield f"{what}: {text}"
            if len(texts) > _SHOWN:
                yield f"{what}: and {len(texts) - _SHOWN} more"
        worse = len(self.worse) + len(self._find_gone())
        means = "".join(f"; {text}" for text, _ in self._find_overall())
        yield (
            f"against the baseline: {worse} worse, {len(self.better)} better, {self._same} as before,"
            f" {len(self.new)} new{means}"
        )


def find_loss(metric: str, before: float, now: float) -> float:
    """Return by how much a metric got worse; negative if it got better, infinite where a NaN came or went."""
    if before == now or (before != before and now != now):
        return 0.0
    if before != before or now != now:
        return math.inf if now != now else -math.inf
    is_higher_better = METRICS[metric].higher_is_better
    if is_higher_better is None:
        return abs(now - METRICS[metric].best) - abs(before - METRICS[metric].best)
    return before - now if is_higher_better else now - before


def read_values(row: LayerResult) -> dict[str, float]:
    """Return the values of a row, equal tensors with the best there are."""
    return {name: METRICS[name].best if row.equal else value for name, value in row.values.items()}


def _read_values(layer: Mapping[str, Any]) -> dict[str, float]:
    """Return the values of a layer of a report, equal tensors with the best there are; empty if it has none."""
    is_equal = layer["status"] == "equal"
    known = {name: float(value) for name, value in layer["values"].items() if name in METRICS}
    return {name: METRICS[name].best if is_equal else value for name, value in known.items()}
