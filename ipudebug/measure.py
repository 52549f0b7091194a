"""Pairs of tensors x metrics -> numbers, in order, by one process or several."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ipudebug.metrics import Metric, SumsMetric
from ipudebug.metrics.passes import (
    LARGE,
    Pair,
    is_fast,
    measure_exact,
    measure_exactly,
    measure_fast,
    needs_exact,
    sample_error,
    split_batches,
)
from ipudebug.metrics.sums import Sums
from ipudebug.processes import share_work

FAST_ERROR = 1e-7
"""Bound of the relative error of each sum of the fast pass on most data; ``tests/metrics/test_passes.py`` measures it.

Data on which the error is larger shows it in samples: see ``sample_error``.
"""


class Measurement(NamedTuple):
    """The numbers of one pair; see LayerResult for the fields."""

    values: dict[str, float]
    equal: bool
    nans: tuple[int, int]
    infs: tuple[int, int]


def measure_pairs(pairs: Sequence[Pair], metrics: Mapping[str, Metric]) -> list[Measurement]:
    """Return the numbers of a batch of pairs as ``split_batches`` makes them: several, or one large."""
    if any(not isinstance(metric, SumsMetric) for metric in metrics.values()):
        return [_measure_streamed(pair, metrics) for pair in pairs]
    formulas = {name: metric for name, metric in metrics.items() if isinstance(metric, SumsMetric)}
    if len(pairs) == 1 and is_fast(pairs[0]):
        return _measure_large(pairs[0], formulas)
    return _evaluate(measure_exactly(pairs), formulas)


def _measure_large(pair: Pair, metrics: Mapping[str, SumsMetric]) -> list[Measurement]:
    """Return the numbers of one large pair: by the fast pass if no printed digit can tell, else exactly."""
    size = pair[0].info.size
    if not any(metric.needs_exact for metric in metrics.values()):
        sums = measure_fast(pair, 0, size)
        if not needs_exact(sums):
            error = max(FAST_ERROR, 2 * sample_error(pair))
            if not any(_is_unclear(metric, sums, error) for metric in metrics.values()):
                return _evaluate(sums, metrics)
    return _evaluate(measure_exact(pair, 0, size), metrics)


def _is_unclear(metric: SumsMetric, sums: Sums, relative: float) -> bool:
    """Return whether a relative error of the sums could show in the sixth decimal."""
    values = metric.compute(sums)
    error = metric.error(sums, relative)
    low, high = values - error, values + error
    return bool((np.round(low, 6) != np.round(high, 6)).any())


def _measure_streamed(pair: Pair, metrics: Mapping[str, Metric]) -> Measurement:
    """Return the numbers of one pair where a metric wants to see the data itself."""
    size = pair[0].info.size
    streams = {name: metric.start(size) for name, metric in metrics.items() if not isinstance(metric, SumsMetric)}
    sums = measure_exact(pair, 0, size, list(streams.values()))
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
    return sum(1e-5 + size * (2e-9 if size > LARGE else 4e-9) for size in sizes)


def measure_all(pairs: Sequence[Pair], metrics: Mapping[str, Metric], jobs: int) -> Iterator[Measurement]:
    """Yield the numbers of each pair, in order, as they become known; ``jobs`` processes share the work (Linux)."""
    batches = split_batches(pairs, LARGE)

    def measure_batch_number(number: int) -> list[Measurement]:
        return measure_pairs(batches[number], metrics)

    for measurements in share_work(measure_batch_number, range(len(batches)), jobs):
        yield from measurements
