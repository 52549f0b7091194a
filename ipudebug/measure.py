"""Pairs of tensors x metrics -> numbers, in order, by one process or several."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ipudebug.metrics import Metric, SumsMetric
from ipudebug.metrics.passes import Pair, split_batches, sum_pair, sum_pairs
from ipudebug.metrics.sums import Sums
from ipudebug.processes import share_work

_PORTION = 1 << 18
"""Elements that a process takes at once, if single tensors have fewer."""


class Measurement(NamedTuple):
    """The numbers of one pair; see LayerResult for the fields."""

    values: dict[str, float]
    equal: bool
    nans: tuple[int, int]
    infs: tuple[int, int]


def measure_pairs(pairs: Sequence[Pair], metrics: Mapping[str, Metric]) -> list[Measurement]:
    """Return the numbers of every pair of a batch."""
    if any(not isinstance(metric, SumsMetric) for metric in metrics.values()):
        return [_measure_streamed(pair, metrics) for pair in pairs]
    return _evaluate(
        sum_pairs(pairs), {name: metric for name, metric in metrics.items() if isinstance(metric, SumsMetric)}
    )


def _measure_streamed(pair: Pair, metrics: Mapping[str, Metric]) -> Measurement:
    """Return the numbers of one pair where a metric wants to see the data itself."""
    size = pair[0].info.size
    streams = {name: metric.start(size) for name, metric in metrics.items() if not isinstance(metric, SumsMetric)}
    sums = sum_pair(pair, 0, size, list(streams.values()))
    formulas = {name: metric for name, metric in metrics.items() if isinstance(metric, SumsMetric)}
    (measured,) = _evaluate(sums, formulas)
    values = {name: streams[name].value() if name in streams else measured.values[name] for name in metrics}
    return Measurement(values, measured.equal, measured.nans, measured.infs)


def _evaluate(sums: Sums, metrics: Mapping[str, SumsMetric]) -> list[Measurement]:
    """Return the numbers of every pair in ``sums``."""
    columns = [metric.compute(sums).tolist() for metric in metrics.values()]
    rows = zip(*columns, strict=True) if columns else [()] * len(sums.n)
    values = [dict(zip(metrics, row, strict=True)) for row in rows]
    nans, infs = (
        zip(a.astype(int).tolist(), b.astype(int).tolist(), strict=True)
        for a, b in ((sums.nans_a, sums.nans_b), (sums.infs_a, sums.infs_b))
    )
    return list(map(Measurement, values, sums.equal.tolist(), nans, infs))


def estimate_seconds(sizes: Iterable[int]) -> float:
    """Return about how long one process measures pairs of so many elements each: the order of magnitude, no more."""
    return sum(1e-5 + size * 2e-9 for size in sizes)


def measure_all(pairs: Sequence[Pair], metrics: Mapping[str, Metric], jobs: int) -> Iterator[Measurement]:
    """Yield the numbers of each pair, in order, as they become known; ``jobs`` processes share the work (Linux)."""
    batches = split_batches(pairs, _PORTION)

    def measure_batch_number(number: int) -> list[Measurement]:
        return measure_pairs(batches[number], metrics)

    for measurements in share_work(measure_batch_number, range(len(batches)), jobs):
        yield from measurements
