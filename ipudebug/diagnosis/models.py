"""Two dumps and the models behind them -> a Diagnosis with blame."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ipudebug.diagnosis.alone import measure_fixed_layers
from ipudebug.diagnosis.blame import Blame, LayerBlame, Lookup, measure_blame
from ipudebug.diagnosis.evidence import Evidence
from ipudebug.diagnosis.inputs import WithInputs
from ipudebug.diagnosis.judgement import SUSPECTS, diagnose
from ipudebug.diagnosis.kinds import examine_layer
from ipudebug.diagnosis.nodes import NodeGraph, load_graph
from ipudebug.diagnosis.onset import Jump
from ipudebug.diagnosis.order import find_row_parents
from ipudebug.diagnosis.suspects import LOOK
from ipudebug.diagnosis.verdict import Diagnosis, Shape, Suspect
from ipudebug.diagnosis.view import take_view
from ipudebug.dumps import open_dump
from ipudebug.errors import InputError
from ipudebug.metrics import VENDOR

if TYPE_CHECKING:
    from ipudebug.comparison import Comparison, LayerResult
    from ipudebug.inputs.feeds import Feeds


def diagnose_with_models(
    *,
    sample: str | os.PathLike[str],
    benchmark: str | os.PathLike[str],
    float_model: str,
    fixed_model: str | None = None,
    feeds: Feeds | None = None,
    mapping: Mapping[str, str] | None = None,
    metrics: Sequence[str] = VENDOR,
    choose_jobs: Callable[[Comparison], int] = lambda comparison: 1,
) -> Diagnosis:
    """Return the verdict on two dumps, with each layer of the models computed by itself.

    Args:
        sample: the suspect dump.
        benchmark: the trusted one.
        float_model: an ONNX or a float model: what made the benchmark.
        fixed_model: the fixed model that made the sample, if its layers are to be computed on the benchmark's inputs.
        feeds: the image of both dumps; needed where the benchmark's dump does not hold the model's input.
        mapping: sample name -> benchmark name.
        metrics: what the rows are to hold.
        choose_jobs: how many processes share the comparison.

    Raises what ``diagnose`` raises; ModelError, NodeFailed for the models; InputError if the input is not known.
    """
    graph = load_graph(float_model)
    known = {} if feeds is None else next(feeds.fit(graph.input_infos))[1]
    verdict = diagnose(
        sample=sample,
        benchmark=WithInputs(open_dump(benchmark, "benchmark"), known),
        mapping=mapping,
        metrics=metrics,
        parents=lambda names: find_row_parents(names, graph.sources),
        choose_jobs=choose_jobs,
    )
    first, second = make_lookups(verdict)
    feed = known or _find_feed(graph, second, verdict)
    blame = measure_blame(graph, first, second, feed)
    if fixed_model is not None:
        alone, notes = measure_fixed_layers(fixed_model, second, feeds)
        layers = tuple(replace(layer, alone=alone.get(layer.name)) for layer in blame.layers)
        blame = replace(blame, layers=layers, notes=(*blame.notes, *notes))
    return judge_with_blame(verdict, blame)


def make_lookups(verdict: Diagnosis) -> tuple[Lookup, Lookup]:
    """Return the two dumps by the benchmark's names, each pair as it was laid over each other."""
    rows = {row.benchmark.info.name: row for row in verdict.rows if row.compared}
    reader = verdict.comparison.benchmark
    stored = {info.name: number for number, info in enumerate(reader.infos) if not info.constant}

    def find_sample(name: str) -> np.ndarray | None:
        return rows[name].sample.array if name in rows else None

    def find_benchmark(name: str) -> np.ndarray | None:
        if name in rows:
            return rows[name].benchmark.array
        return reader.read(stored[name]).array if name in stored else None

    return find_sample, find_benchmark


def _find_feed(graph: NodeGraph, benchmark: Lookup, verdict: Diagnosis) -> Mapping[str, np.ndarray]:
    """Return the model's inputs from the benchmark's dump; raises InputError."""
    found = {}
    for info in graph.input_infos:
        array = benchmark(info.name)
        size = int(np.prod([dim for dim in info.shape if dim > 0]))
        if array is None or array.size % max(size, 1):
            raise InputError(
                f"{verdict.comparison.benchmark.path} does not hold the model's input {info.name}",
                "give the image that both dumps were made from: -i IMAGE -n PREPROCESS",
            )
        shape = tuple(dim if dim > 0 else array.size // size for dim in info.shape)
        if len(shape) == 4:
            n, c, h, w = shape
            array = array.reshape(n, h, w, c).transpose(0, 3, 1, 2)
        found[info.name] = np.ascontiguousarray(array.reshape(shape), info.dtype)
    return found


def judge_with_blame(verdict: Diagnosis, blame: Blame) -> Diagnosis:
    """Return a verdict that knows what each layer does by itself.

    A layer whose local error is clear is the origin, whatever the order of the rows let suppose; where none is, the
    suspects are the layers with the largest shares of the final error.
    """
    rows = {row.benchmark.info.name: row for row in verdict.rows if row.compared}
    strays = [layer for layer in blame.strays if layer.name in rows]
    if verdict.shape is Shape.INPUT or (not strays and verdict.shape is Shape.CLEAN):
        return replace(verdict, blame=blame)
    if not strays:
        by_share = sorted((layer for layer in blame.layers if layer.name in rows), key=lambda layer: -layer.share)
        suspects = _suspect(by_share, rows, blame)
        names = [f"{layer.name} {layer.share:.0%}" for layer in by_share[:SUSPECTS]]
        reason = f"{verdict.reason}; of the final error come from {', '.join(names)}"
        return replace(verdict, blame=blame, reason=reason, suspects=suspects)
    first = strays[0]
    reason = (
        f"{first.name} makes {first.local:.3g} of error by itself, {first.jump:.3g} x what rounding explains; it was"
        f" handed {first.incoming:.3g}"
    )
    last = [row.benchmark.info.name for row in verdict.rows if row.compared][-1]
    shape = Shape.END if first.name == last else Shape.ABRUPT
    return replace(verdict, blame=blame, shape=shape, reason=reason, suspects=_suspect(strays, rows, blame))


def _suspect(layers: Sequence[LayerBlame], rows: Mapping[str, LayerResult], blame: Blame) -> tuple[Suspect, ...]:
    """Return the first few layers as suspects, each judged by what it does by itself where that was kept."""
    suspects = []
    for layer in layers[:SUSPECTS]:
        row = rows[layer.name]
        view = blame.local_views.get(layer.name) or take_view(row.sample, row.benchmark, LOOK)
        evidence = Evidence(row.name, row.benchmark.info.op_type, view, jump=layer.jump, nans=row.nans, infs=row.infs)
        suspects.append(Suspect(row, Jump(layer.jump, "total", 0.0), examine_layer(evidence)))
    return tuple(suspects)
