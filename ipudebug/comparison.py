"""Pairs x metrics -> a Comparison of LayerResults, measured as it is iterated."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipudebug.align import Alignment, Fit, Pair, align, find_unnamed
from ipudebug.errors import UnknownFormat
from ipudebug.measure import Measurement, measure_all, measure_pairs
from ipudebug.metrics import METRICS, VENDOR, Metric
from ipudebug.views import lay_over, transpositions

if TYPE_CHECKING:
    from ipudebug.dumps import DumpReader
    from ipudebug.match import Match
    from ipudebug.tensor import Tensor

SUSPICIOUS_COS = 0.99
SUSPICIOUS_RMSE = 0.1
"""The vendor's experience: a layer is suspicious if COS is below or RMSE above."""

_TRANSPOSED_COS = 0.98  # the vendor's: below it a cubic tensor is tried in the other layout


@dataclass(frozen=True, slots=True)
class LayerResult:
    """One row of a comparison.

    Attributes:
        index: number of the row, from 0; -1 if the pair could not be compared (``values`` is empty, ``note`` says why).
        name: the sample's name of the tensor.
        sample, benchmark: as they were laid over each other (transposed, reduced to three channels).
        values: metric name -> value: those asked for, in that order, then the vendor's three if they were not.
        note: what a user should know of this row; "" if nothing.
        equal: every element equals its partner.
        nans, infs: how many elements of sample and benchmark are NaN, or infinite.
    """

    index: int
    name: str
    sample: Tensor
    benchmark: Tensor
    values: Mapping[str, float]
    note: str = ""
    equal: bool = False
    nans: tuple[int, int] = (0, 0)
    infs: tuple[int, int] = (0, 0)

    @property
    def compared(self) -> bool:
        """Whether there are values."""
        return self.index >= 0

    @property
    def suspicious(self) -> bool:
        """Whether the vendor's thresholds are crossed; equal tensors never are, a NaN always is."""
        if self.equal or not self.compared:
            return False
        return any(self.nans) or not self.values["cos"] >= SUSPICIOUS_COS or not self.values["rmse"] <= SUSPICIOUS_RMSE

    @property
    def status(self) -> str:
        """One word: ``uncompared``, ``nan``, ``inf``, ``equal``, ``suspicious`` or ``ok``."""
        if not self.compared:
            return "uncompared"
        if any(self.nans):
            return "nan"
        if any(self.infs):
            return "inf"
        if self.equal:
            return "equal"
        return "suspicious" if self.suspicious else "ok"


class Comparison:
    """Two dumps side by side: iterating measures the pairs and yields a LayerResult for each, in order.

    Attributes:
        sample, benchmark: the two dumps.
        alignment: which tensors were paired, which were left over and why; known before anything is measured.
        metrics: names of the metrics in ``LayerResult.values``.
        matches: the pairs that were found by content.
        jobs: processes that share the work.
        inexact: tensors of either dump whose integers are not known to be the chip's -> types of their operators.
    """

    def __init__(
        self,
        sample: DumpReader,
        benchmark: DumpReader,
        alignment: Alignment,
        metrics: Sequence[str],
        jobs: int = 1,
        matches: Sequence[Match] = (),
        inexact: Mapping[str, str] | None = None,
    ) -> None:
        self.sample = sample
        self.benchmark = benchmark
        self.alignment = alignment
        self.metrics = tuple(metrics)
        self.jobs = jobs
        self.matches = tuple(matches)
        self.inexact = inexact or {}

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of the two files and their alignment."""
        sides = (("sample", self.sample), ("benchmark", self.benchmark))
        found = (
            f"matched by content: {match.sample} -> {match.benchmark}"
            f" (confidence {match.confidence:.2f}: {match.evidence})"
            for match in self.matches
        )
        return (*(f"{side}: {note}" for side, dump in sides for note in dump.notes), *self.alignment.notes, *found)

    def names(self) -> list[str]:
        """Return the names of the rows that will be compared, in their order."""
        return [self.sample.infos[pair.sample].name for pair in self.alignment.pairs if pair.fit is not Fit.NONE]

    def sizes(self) -> list[int]:
        """Return how many elements each pair has that will be compared."""
        pairs = (pair for pair in self.alignment.pairs if pair.fit is not Fit.NONE)
        return [self.benchmark.infos[pair.benchmark].size for pair in pairs]

    def __iter__(self) -> Iterator[LayerResult]:
        """Measure the pairs and yield their results, in order, each as soon as it is known."""
        # The verdict needs the vendor's numbers, whatever is shown; the sums behind them are taken anyway.
        metrics = {name: METRICS[name] for name in dict.fromkeys((*self.metrics, *VENDOR))}
        pairs = self.alignment.pairs
        laid = [self._lay_over(pair) for pair in pairs]
        wanted = [(a, b) for pair, (a, b, _) in zip(pairs, laid, strict=True) if pair.fit is not Fit.NONE]
        measurements = measure_all(wanted, metrics, self.jobs)
        for pair, (sample, benchmark, note) in zip(pairs, laid, strict=True):
            if pair.fit is Fit.NONE:
                yield LayerResult(-1, sample.info.name, sample, benchmark, {}, pair.note)
                continue
            measured, better = next(measurements), ""
            if pair.fit is Fit.EITHER_LAYOUT and not measured.values["cos"] >= _TRANSPOSED_COS:
                benchmark, measured, better = _better_layout(sample, benchmark, measured, metrics)
            note = "; ".join(filter(None, (pair.note, note, better, self._tell_inexact(sample, benchmark))))
            yield LayerResult(
                pair.index, sample.info.name, sample, benchmark, measured.values, note, measured.equal, measured.nans,
                measured.infs,
            )  # fmt: skip

    def _tell_inexact(self, sample: Tensor, benchmark: Tensor) -> str:
        """Return a note if a tensor of a pair was computed from integers that are not known to be the chip's."""
        types = self.inexact.get(sample.info.name) or self.inexact.get(benchmark.info.name)
        return f"inexact {types}: perhaps not the chip's integers" if types else ""

    def _lay_over(self, pair: Pair) -> tuple[Tensor, Tensor, str]:
        """Return the two tensors of a pair as its fit wants them, and a note."""
        return lay_over(self.sample.read(pair.sample), self.benchmark.read(pair.benchmark), pair.fit)


def _better_layout(
    sample: Tensor, benchmark: Tensor, measured: Measurement, metrics: Mapping[str, Metric]
) -> tuple[Tensor, Measurement, str]:
    """Return a cubic benchmark in the layout with the best COS, its numbers, and a note if that is not the stored."""
    note = ""
    for candidate, text in transpositions(benchmark):
        (other,) = measure_pairs([(sample, candidate)], metrics)
        if other.values["cos"] > measured.values["cos"]:
            benchmark, measured, note = candidate, other, text
    return benchmark, measured, note


def compare(
    *,
    sample: str | os.PathLike[str] | DumpReader,
    benchmark: str | os.PathLike[str] | DumpReader,
    metrics: Sequence[str] = VENDOR,
    mapping: Mapping[str, str] | None = None,
    layers: Sequence[str] = (),
    by_content: bool = False,
    jobs: int = 1,
) -> Comparison:
    """Return the comparison of two dumps; nothing is measured until it is iterated.

    Args:
        sample: the suspect dump (a path, or a reader from ``open_dump``).
        benchmark: the trusted one. The order matters: RMSE is relative to the benchmark.
        metrics: names from ``ipudebug.metrics.METRICS``.
        mapping: sample name -> benchmark name, for tensors that were renamed.
        layers: names or glob patterns of the sample's tensors to look at; empty means all.
        by_content: pair what no name pairs by size and content; ``Comparison.matches`` tells which, and why. That costs
            two more passes over those tensors, at once.
        jobs: processes that share the work (Linux; elsewhere always one).

    Raises:
        UnknownFormat, TruncatedDump, CorruptDump: a file cannot be used; a raw dump of integers is refused.
        AlignmentError: the two share no tensor that can be compared, or a name does not exist.
        UnknownPlugin: a metric of that name does not exist.
    """
    from ipudebug.dumps import open_dump

    metrics = [METRICS.find(name) for name in metrics]
    sides = []
    for what, dump in (("sample", sample), ("benchmark", benchmark)):
        reader = open_dump(dump, what) if isinstance(dump, str | os.PathLike) else dump
        if not reader.is_float:
            raise UnknownFormat(
                f"{what}: {reader.path} is a raw dump: integers, whose scales it does not hold",
                "switch dequantFixed on in DebugConfig.txt and dump again",
            )
        sides.append(reader)
    mapping = dict(mapping or {})
    infos = {"sample": sides[0].infos, "benchmark": sides[1].infos}
    matches: list[Match] = []
    if by_content:
        from ipudebug.match import match_by_content

        samples, benchmarks = find_unnamed(**infos, mapping=mapping)
        matches = match_by_content(sides[0], sides[1], samples, benchmarks)
    mapping |= {match.sample: match.benchmark for match in matches}
    alignment = align(**infos, mapping=mapping, layers=layers)
    return Comparison(sides[0], sides[1], alignment, metrics, jobs, matches, _read_inexact(sides))


def _read_inexact(sides: Sequence[DumpReader]) -> dict[str, str]:
    """Return what the manifests beside two dumps say was not computed as the chip does: tensor name -> types."""
    paths = [side.path for side in sides if os.path.exists(f"{side.path}.json")]
    if not paths:
        return {}  # what reads manifests takes longer to import than a small comparison takes
    from ipudebug.manifest import read_manifest

    found = [read_manifest(path)[0] for path in paths]
    return {name: types for manifest in found if manifest for name, types in manifest.inexact.items()}
