"""Two lists of TensorInfo -> pairs and leftovers. Touches no data, so it is instant whatever the dumps' size."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ipudebug.errors import AlignmentError
from ipudebug.tensor import Layout, TensorInfo, dims

_SURPLUS = "the other side has fewer tensors of this name"


class Fit(enum.Enum):
    """How the two tensors of a pair are laid over each other."""

    AS_STORED = "as stored"
    BENCHMARK_FROM_NCHW = "benchmark from NCHW to NHWC"
    BENCHMARK_FROM_NHWC = "benchmark from NHWC to NCHW"
    EITHER_LAYOUT = "H = W = C: only the data can tell"
    SAMPLE_FOUR_CHANNELS = "sample with a fourth channel"
    BENCHMARK_FOUR_CHANNELS = "benchmark with a fourth channel"
    NONE = "cannot be compared"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two tensors that stand for the same one.

    Attributes:
        index: number of the row in a report, consecutive over the pairs that can be compared; -1 for the others.
        sample, benchmark: positions in the two lists.
        fit: how to lay them over each other; Fit.NONE when they cannot be compared.
        note: what a user should know of it; the reason for Fit.NONE.
    """

    index: int
    sample: int
    benchmark: int
    fit: Fit
    note: str


@dataclass(frozen=True, slots=True)
class Leftover:
    """A tensor of one side without a partner on the other, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Alignment:
    """What was paired and what was not.

    Attributes:
        pairs: in the sample's order of first appearance, those that cannot be compared included.
        sample_only, benchmark_only: variables (no constants) without a partner.
        notes: what a user should know of the whole.
    """

    pairs: tuple[Pair, ...]
    sample_only: tuple[Leftover, ...]
    benchmark_only: tuple[Leftover, ...]
    notes: tuple[str, ...]


def align(
    *,
    sample: Sequence[TensorInfo],
    benchmark: Sequence[TensorInfo],
    mapping: Mapping[str, str] | None = None,
    layers: Sequence[str] = (),
) -> Alignment:
    """Pair two lists of tensors by name; several tensors of one name are paired in their order.

    The sample's constants are left out, and a dump's ``in`` records wherever the same name has an ``out`` record: they
    repeat it. What is only ever read is a graph input and takes part.

    Args:
        sample: the suspect side.
        benchmark: the trusted side.
        mapping: sample name -> benchmark name, for tensors that were renamed.
        layers: names or glob patterns of the sample's tensors to look at; empty means all.

    Raises:
        AlignmentError: no tensor has a partner that it can be compared with, a pattern matches nothing, or a mapped
            name does not exist.
    """
    mapping = mapping or {}
    samples, benchmarks = _variables(sample), _variables(benchmark, constants=True)
    _check_mapping(mapping, samples, benchmarks)
    wanted = _select(samples, layers)
    pairs: list[Pair] = []
    compared = 0
    sample_only: list[Leftover] = []
    benchmark_only: list[Leftover] = []
    notes: list[str] = []
    partners: set[str] = set()
    for name, positions in samples.items():
        partner = mapping.get(name, name)
        partners.add(partner)
        others = benchmarks.get(partner, [])
        if name not in wanted:
            continue
        if others and (len(positions) > 1 or len(others) > 1):
            notes.append(f"{name}: {len(positions)} tensors of this name against {len(others)}: paired in their order")
        for position, other in zip(positions, others, strict=False):
            fit, note = find_fit(sample[position], benchmark[other])
            pairs.append(Pair(-1 if fit is Fit.NONE else compared, position, other, fit, note))
            compared += fit is not Fit.NONE
        if len(positions) > len(others):
            reason = _SURPLUS if others else _reason(name)
            sample_only += [Leftover(name, reason)] * (len(positions) - len(others))
        elif len(positions) < len(others):
            benchmark_only += [Leftover(partner, _SURPLUS)] * (len(others) - len(positions))
    benchmark_only += [
        Leftover(name, "not in the sample (fused, or removed by the conversion)")
        for name, positions in benchmarks.items()
        if name not in partners and not layers and not benchmark[positions[0]].constant
    ]
    if not pairs:
        variables = [name for name, positions in benchmarks.items() if not benchmark[positions[0]].constant]
        raise _nothing_in_common([name for name in samples if name in wanted], variables, bool(layers))
    if not compared:
        raise _nothing_fits([(sample[pair.sample].name, pair.note) for pair in pairs])
    return Alignment(tuple(pairs), tuple(sample_only), tuple(benchmark_only), tuple(notes))


def find_unnamed(
    *, sample: Sequence[TensorInfo], benchmark: Sequence[TensorInfo], mapping: Mapping[str, str] | None = None
) -> tuple[list[int], list[int]]:
    """Return the positions of the variables on either side that neither a name nor the mapping pairs."""
    mapping = mapping or {}
    samples, benchmarks = _variables(sample), _variables(benchmark)
    paired = {name: mapping.get(name, name) for name in samples if mapping.get(name, name) in benchmarks}
    partners = set(paired.values())
    return (
        [positions[0] for name, positions in samples.items() if name not in paired],
        [positions[0] for name, positions in benchmarks.items() if name not in partners],
    )


def find_fit(sample: TensorInfo, benchmark: TensorInfo) -> tuple[Fit, str]:
    """Return how two tensors fit, and a note for the user ("" when there is nothing to say)."""
    if sample.dtype.kind not in "fiub" or benchmark.dtype.kind not in "fiub":
        side = "benchmark" if sample.dtype.kind in "fiub" else "sample"
        return Fit.NONE, f"the {side}'s element type is not known"
    a, b = sample.shape, benchmark.shape
    if a == b and sample.layout is benchmark.layout:  # nearly all pairs
        if 0 in a:
            return Fit.NONE, "no elements"
        return (Fit.EITHER_LAYOUT if len(a) == 4 and a[1] == a[2] == a[3] > 1 else Fit.AS_STORED), ""
    if sample.size != benchmark.size:
        return _fit_sizes(sample, benchmark)
    if sample.size == 0:
        return Fit.NONE, "no elements"
    if len(a) == 4 == len(b):
        from_nchw, from_nhwc = (b[0], b[2], b[3], b[1]), (b[0], b[3], b[1], b[2])
        declared = {sample.layout, benchmark.layout} == {Layout.NCHW, Layout.NHWC}
        if a == from_nchw and (a != b or (declared and benchmark.layout is Layout.NCHW)):
            return Fit.BENCHMARK_FROM_NCHW, f"sample {dims(a)} is NHWC, benchmark {dims(b)} NCHW: transposed"
        if a == from_nhwc and (a != b or declared):
            return Fit.BENCHMARK_FROM_NHWC, f"sample {dims(a)} is NCHW, benchmark {dims(b)} NHWC: transposed"
        if a == b == from_nchw and a[1] > 1:
            return Fit.EITHER_LAYOUT, ""
    known = a != b and len(a) != 1 and len(b) != 1  # a dump without shapes gives a flat one
    if known and [dim for dim in a if dim != 1] != [dim for dim in b if dim != 1]:
        return Fit.AS_STORED, f"shapes differ, {dims(a)} against {dims(b)}: compared in stored order"
    return Fit.AS_STORED, ""


def _fit_sizes(sample: TensorInfo, benchmark: TensorInfo) -> tuple[Fit, str]:
    """Return how tensors of unequal size fit: a board input has four channels where the float model has three."""
    if sample.size * 3 == benchmark.size * 4 and sample.role == "in":
        return Fit.SAMPLE_FOUR_CHANNELS, "sample input with four channels against three: compared over three"
    if benchmark.size * 3 == sample.size * 4 and benchmark.role == "in":
        return Fit.BENCHMARK_FOUR_CHANNELS, "benchmark input with four channels against three: compared over three"
    what = f"sample {dims(sample.shape)} has {sample.size} elements, benchmark {dims(benchmark.shape)} {benchmark.size}"
    return Fit.NONE, f"sizes differ: {what}"


def _variables(infos: Sequence[TensorInfo], constants: bool = False) -> dict[str, list[int]]:
    """Return name -> positions in order of first appearance: ``out`` records, else the first of the ``in`` records."""
    found: dict[str, list[int]] = {}
    has_out: set[str] = set()
    for position, info in enumerate(infos):
        if info.constant and not constants:
            continue
        name = info.name
        if info.role == "out":
            if name in has_out:
                found[name].append(position)
            else:
                found[name] = [position]  # replaces an ``in`` record but keeps its place in the order
                has_out.add(name)
        elif name not in found:
            found[name] = [position]
    return found


def _select(samples: Mapping[str, object], layers: Sequence[str]) -> set[str]:
    """Return the names that a list of names and patterns asks for; raises AlignmentError for one that finds nothing."""
    if not layers:
        return set(samples)
    wanted: set[str] = set()
    for pattern in layers:
        # A name may itself hold [ or *: an exact match comes first.
        found = {pattern} if pattern in samples else {name for name in samples if fnmatchcase(name, pattern)}
        if not found:
            raise AlignmentError(f"--layer {pattern}: the sample has no such tensor", _near(pattern, samples))
        wanted |= found
    return wanted


def _check_mapping(mapping: Mapping[str, str], samples: Mapping[str, object], benchmarks: Mapping[str, object]) -> None:
    """Raise AlignmentError if a mapped name does not exist."""
    for name, partner in mapping.items():
        for side, wanted, known in (("sample", name, samples), ("benchmark", partner, benchmarks)):
            if wanted not in known:
                raise AlignmentError(f"map: the {side} has no tensor named {wanted!r}", _near(wanted, known))


def _near(name: str, known: Mapping[str, object]) -> str:
    """Return a hint with the names nearest to ``name``, in their own order."""
    import difflib

    close = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5) or list(known)[:3]
    near = [other for other in known if other in close]
    return "it has: " + ", ".join(near) + (" ..." if len(known) > len(near) else "")


def _reason(name: str) -> str:
    """Return why a tensor of the sample may have no partner."""
    made = "#" in name or name.endswith(("_node_MUL_output", "_node_scale", "_node_offset"))
    return "made by the conversion" if made else "no tensor of this name in the benchmark"


def _some(names: Sequence[str]) -> str:
    """Return a few names for a message."""
    return (", ".join(names[:5]) + (" ..." if len(names) > 5 else "")) if names else "none"


def _nothing_in_common(samples: Sequence[str], benchmarks: Sequence[str], by_layer: bool) -> AlignmentError:
    """Return the error for two dumps that share no variable tensor, or none of those asked for by --layer."""
    what = "the benchmark has none of the tensors asked for" if by_layer else "the two dumps share no tensor"
    if not samples or not benchmarks:
        hint = "an empty dump is what an aborted run leaves: run it again, and read what it prints"
    else:
        hint = "are both of the same model? if tensors were renamed, give --map FILE"
    return AlignmentError(f"{what}; sample: {_some(samples)}; benchmark: {_some(benchmarks)}", hint)


def _nothing_fits(pairs: Sequence[tuple[str, str]]) -> AlignmentError:
    """Return the error for dumps of which not one pair (name, reason) can be compared."""
    reasons = "; ".join(f"{name}: {reason}" for name, reason in pairs[:3]) + (" ..." if len(pairs) > 3 else "")
    count = "the only pair" if len(pairs) == 1 else f"none of the {len(pairs)} pairs"
    verb = "cannot" if len(pairs) == 1 else "can"
    return AlignmentError(
        f"{count} of tensors {verb} be compared; {reasons}",
        "were both dumps made with eliminateGarbage, and from inputs of the same size?",
    )
