"""Tensors that no name pairs -> proposals from their content, each with its evidence.

A tensor's *sketch* (size, mean, root mean square, mean magnitude, extremes) does not change when its dimensions are
reordered and changes little when it is quantised. It picks a few candidates of equal size for each tensor; their data,
laid over each other as in a comparison, decides. Equal content under several names (a reshape, a dropout) is settled by
the order of execution.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ipudebug.align import Fit, find_fit
from ipudebug.measure import measure_pairs
from ipudebug.metrics import METRICS
from ipudebug.views import lay_over, transpositions

if TYPE_CHECKING:
    from ipudebug.dumps import DumpReader
    from ipudebug.tensor import Tensor

LEAST_COS = 0.9
"""A pair below it is not proposed."""

_CANDIDATES = 6  # how many tensors with the nearest sketches are compared element by element
_CHUNK = 1 << 16
_CLEAR = 0.02  # a lead in COS over the next candidate that leaves no doubt


@dataclass(frozen=True, slots=True)
class Match:
    """A proposal: two tensors that seem to be the same one.

    Attributes:
        sample, benchmark: their names.
        confidence: 0..1; the COS of the two, halved where another candidate is as near and only the order decided.
        evidence: what speaks for it, in words.
    """

    sample: str
    benchmark: str
    confidence: float
    evidence: str


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One possible partner of a sample tensor."""

    sample: int
    benchmark: int
    cos: float
    distance: float  # of the places of the two in their execution orders, as shares of the whole


def match_by_content(
    sample: DumpReader, benchmark: DumpReader, samples: Sequence[int], benchmarks: Sequence[int]
) -> list[Match]:
    """Return proposals for pairs among the records ``samples`` and ``benchmarks``, in the sample's order.

    Each record appears in one proposal at most. Costs two passes over the data of both sides, and memory for a sketch
    a tensor. Records without elements, or whose values are all alike, are left out: their content says nothing.
    """
    a = {index: _sketch(sample.read(index)) for index in samples}
    b = {index: _sketch(benchmark.read(index)) for index in benchmarks}
    places = {index: place / max(len(benchmarks) - 1, 1) for place, index in enumerate(benchmarks)}
    candidates: list[_Candidate] = []
    for place, index in enumerate(samples):
        near = sorted(
            (other for other in benchmarks if b[other] is not None and _is_near(a[index], b[other])),
            key=lambda other: (_distance(a[index], b[other]), other),
        )
        share = place / max(len(samples) - 1, 1)
        for other in near[:_CANDIDATES]:
            cos = _cosine(sample.read(index), benchmark.read(other))
            if cos >= LEAST_COS:
                candidates.append(_Candidate(index, other, cos, abs(places[other] - share)))
    chosen: dict[int, _Candidate] = {}
    taken: set[int] = set()
    # The surest first. Differences of COS below a ten-thousandth are no evidence: then the order of execution is.
    for candidate in sorted(candidates, key=lambda item: (-round(item.cos, 4), item.distance)):
        if candidate.sample not in chosen and candidate.benchmark not in taken:
            chosen[candidate.sample] = candidate
            taken.add(candidate.benchmark)
    return [_propose(sample, benchmark, chosen[index], candidates) for index in samples if index in chosen]


def _propose(sample: DumpReader, benchmark: DumpReader, chosen: _Candidate, candidates: Sequence[_Candidate]) -> Match:
    """Return the proposal for a chosen candidate."""
    rivals = [
        item
        for item in candidates
        if (item.sample == chosen.sample) != (item.benchmark == chosen.benchmark)  # shares exactly one of the two
    ]
    best = max((item.cos for item in rivals), default=-1.0)
    clear = chosen.cos - best > _CLEAR
    evidence = f"{sample.infos[chosen.sample].size} elements, COS {chosen.cos:.6f}"
    if best < LEAST_COS:
        evidence += ", no other candidate"
    else:
        evidence += f", next best {best:.6f}" + ("" if clear else ": the order of execution decided")
    return Match(
        sample.infos[chosen.sample].name,
        benchmark.infos[chosen.benchmark].name,
        chosen.cos if clear else chosen.cos / 2,
        evidence,
    )


_Sketch = tuple[int, float, float, float, float, float]


def _sketch(tensor: Tensor) -> _Sketch | None:
    """Return size, mean, root mean square, mean magnitude, least and largest; None if the content says nothing."""
    size = tensor.info.size
    if size == 0 or tensor.info.dtype.kind not in "fiub":
        return None
    total = squares = magnitude = 0.0
    least, largest = math.inf, -math.inf
    chunk = np.empty(min(size, _CHUNK))
    for start in range(0, size, _CHUNK):
        part = chunk[: min(_CHUNK, size - start)]
        tensor.copy_into(part, start)
        total += float(part.sum())
        squares += float(np.dot(part, part))
        magnitude += float(np.abs(part).sum())
        least, largest = min(least, float(part.min())), max(largest, float(part.max()))
    if not math.isfinite(squares) or least == largest:
        return None
    return size, total / size, math.sqrt(squares / size), magnitude / size, least, largest


def _is_near(a: _Sketch | None, b: _Sketch | None) -> bool:
    """Return whether two sketches may be of one tensor: equal size, and the same order of magnitude."""
    return a is not None and b is not None and a[0] == b[0] and 0.5 < (a[2] + 1e-30) / (b[2] + 1e-30) < 2.0


def _distance(a: _Sketch | None, b: _Sketch | None) -> float:
    """Return how far two sketches of equal size are apart, in units of the larger root mean square."""
    assert a is not None
    assert b is not None
    unit = max(a[2], b[2], 1e-30)
    return sum(abs(x - y) for x, y in zip(a[1:4], b[1:4], strict=True)) / unit


def _cosine(sample: Tensor, benchmark: Tensor) -> float:
    """Return the COS of two tensors of equal size in the layout that fits best; 0 where it is not defined."""
    fit, _ = find_fit(sample.info, benchmark.info)
    if fit is Fit.NONE:
        return 0.0
    sample, benchmark, _ = lay_over(sample, benchmark, fit)
    options = [benchmark]
    if fit is Fit.EITHER_LAYOUT:
        options += [candidate for candidate, _ in transpositions(benchmark)]
    values = [measure_pairs([(sample, option)], {"cos": METRICS["cos"]})[0].values["cos"] for option in options]
    best = max(values)
    return best if best == best else 0.0
