"""``ipudebug compare``: two dumps, layer by layer."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from ipudebug.cli.app import EXIT_MISSED, Command
from ipudebug.errors import ConfigError
from ipudebug.metrics import METRICS, VENDOR
from ipudebug.reports import REPORTS, list_metrics, make_report

if TYPE_CHECKING:
    from ipudebug.comparison import LayerResult
    from ipudebug.details import DetailFolder


@contextlib.contextmanager
def without_collection() -> Iterator[None]:
    """Keep Python from looking for unreachable cycles: a comparison makes none, and large dumps make many objects.

    With 20,000 tensors the search would take a quarter of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@click.command(
    "compare",
    cls=Command,
    section="Compare",
    short_help="Compare two dumps layer by layer.",
    examples=[
        "ipudebug compare fixed.bin float.bin",
        "ipudebug compare float.bin onnx.bin --metric sqnr --metric gain --format table",
        "ipudebug compare fixed.bin float.bin --min-cos 0.99 --min-cos 'conv1:0.95' --min-coverage 80%",
        "ipudebug compare fixed.bin float.bin --top 10 --sort rmse --format markdown -o worst.md",
        "ipudebug compare fixed.bin float.bin --format html -o report.html",
        "ipudebug compare fixed.bin float.bin --baseline accepted.json",
    ],
)
@click.argument("sample", type=click.Path())
@click.argument("benchmark", type=click.Path())
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="NAME",
    help=f"Show one more of: {', '.join(METRICS)}. Repeatable.",
)
@click.option("--format", "report", type=click.Choice(list(REPORTS)), default="rows", show_default=True)
@click.option("-o", "--output", default="-", metavar="FILE", help="Write the report to FILE instead of stdout ('-').")
@click.option("--sort", metavar="KEY", help="Order of the rows: index (default), name, or a metric, worst first.")
@click.option(
    "--top",
    type=click.IntRange(min=1),
    metavar="N",
    help="Show the N worst rows only: by the metric of --sort, or COS.",
)
@click.option("--layer", "layers", multiple=True, metavar="NAME", help="Compare this tensor only; globs. Repeatable.")
@click.option(
    "--map", "map_file", metavar="FILE", help="Renamed tensors: 'sample-name benchmark-name', one pair a line."
)
@click.option(
    "--match",
    type=click.Choice(["name", "content"]),
    default="name",
    show_default=True,
    help="content: pair what no name pairs by its data; each such pair is told with its evidence.",
)
@click.option("--details", metavar="DIR", help="Write each row's values to DIR/<index>/{sample,benchmark}.txt.")
@click.option("--min-cos", multiple=True, metavar="[NAME:]VALUE", help="Exit 1 if a COS is below. Repeatable.")
@click.option("--max-rmse", multiple=True, metavar="[NAME:]VALUE", help="Exit 1 if an RMSE is above. Repeatable.")
@click.option("--max-mse", multiple=True, metavar="[NAME:]VALUE", help="Exit 1 if an MSE is above. Repeatable.")
@click.option("--min-coverage", metavar="SHARE", help="Exit 1 if less of the sample was compared (0.8 or 80%).")
@click.option("--baseline", metavar="JSON", help="Exit 1 if a layer is worse than in this earlier JSON report.")
@click.option(
    "--layer-slack",
    multiple=True,
    metavar="[METRIC:]VALUE",
    help="How much worse than --baseline a layer may be [default: 0.005, of COS and RMSE]. Repeatable.",
)
@click.option(
    "--overall-slack",
    multiple=True,
    metavar="[METRIC:]VALUE",
    help="How much worse the mean of all layers may be [default: 0.001, of COS and RMSE]. Repeatable.",
)
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Processes [default: as the size asks for].")
@without_collection()
def command(
    sample: str,
    benchmark: str,
    metrics: tuple[str, ...],
    report: str,
    output: str,
    sort: str | None,
    top: int | None,
    layers: tuple[str, ...],
    map_file: str | None,
    match: str,
    details: str | None,
    min_cos: tuple[str, ...],
    max_rmse: tuple[str, ...],
    max_mse: tuple[str, ...],
    min_coverage: str | None,
    baseline: str | None,
    layer_slack: tuple[str, ...],
    overall_slack: tuple[str, ...],
    jobs: int | None,
) -> int:
    """Compare two dumps layer by layer: SAMPLE, the suspect, with BENCHMARK, the trusted.

    The order matters: RMSE is sum|s-b| / sum|b|, relative to the benchmark. Rows go to stdout as they are measured;
    what was left out, and the first suspicious layer (COS < 0.99 or RMSE > 0.1), to stderr. SAVE_ONE_ROW=1 in the
    environment makes --details write one value a line.

    Exit code: 0 done and within the thresholds, 1 a threshold was missed, 2 trouble.
    """
    # One thread is faster for the short rows that are summed, and a fork is safe. It must be said before numpy loads.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from ipudebug.cli.gate import open_gate, warn_of_conflicts
    from ipudebug.cli.jobs import choose_jobs
    from ipudebug.cli.output import write_output
    from ipudebug.comparison import compare
    from ipudebug.config.name_map import load_name_map
    from ipudebug.reports.cells import show_name
    from ipudebug.reports.summary import Summary
    from ipudebug.thresholds import check_patterns, find_misses, parse_share, parse_threshold

    thresholds = [
        parse_threshold(metric, text, is_minimum=is_minimum)
        for metric, texts, is_minimum in (("cos", min_cos, True), ("rmse", max_rmse, False), ("mse", max_mse, False))
        for text in texts
    ]
    least = parse_share(min_coverage) if min_coverage is not None else 0.0
    by = _sort_key(sort, top)
    gate = open_gate(baseline, layer_slack, overall_slack, is_whole=not layers)
    wanted = [METRICS.find(name) for name in metrics] + ([by] if by in METRICS else []) + (gate.metrics if gate else [])
    shown = tuple(dict.fromkeys((*VENDOR, *wanted, *list_metrics(report))))
    mapping = None if map_file is None else load_name_map(map_file)
    comparison = compare(
        sample=sample,
        benchmark=benchmark,
        metrics=shown,
        mapping=mapping,
        layers=layers,
        by_content=match == "content",
    )
    comparison.jobs = jobs or choose_jobs(comparison)
    check_patterns(thresholds, [comparison.sample.infos[pair.sample].name for pair in comparison.alignment.pairs])

    inputs = [sample, benchmark, *([baseline] if baseline else [])]
    summary = Summary(comparison)
    misses: list[str] = []

    def watch(rows: Iterable[LayerResult]) -> Iterable[LayerResult]:
        for row in summary.watch(rows):
            if thresholds:
                misses.extend(find_misses(row, thresholds))
            if gate:
                gate.add(row)
            yield row

    with _details(details, keep=[*inputs, *([] if output == "-" else [output])]) as folder:
        rows = watch(folder.watch(comparison) if folder else comparison)
        if by != "index" or top:
            rows = _sort_rows(_keep_worst(list(rows), by, top), by)
        write_output(output, make_report(report, thresholds, gate).render(comparison, rows), keep=inputs)
    if folder and folder.kept:
        click.echo(f"{folder.path} existed: kept as {folder.kept}", err=True)
    for line in summary.lines():
        click.echo(line, err=True)
    if gate:
        for line in gate.lines():
            click.echo(line, err=True)
    warn_of_conflicts(comparison)
    if summary.coverage < least:
        misses.append(f"coverage {summary.coverage:.1%} < {least:.1%}")
    for miss in misses:
        click.echo(f"missed: {show_name(miss)}", err=True)
    regressions = gate.list_regressions() if gate else []
    for regression in regressions:
        click.echo(f"regression: {regression}", err=True)
    return EXIT_MISSED if misses or regressions else 0


def _sort_key(sort: str | None, top: int | None) -> str:
    """Return what to sort by: what was asked for, else COS if only the worst are wanted, else the index."""
    key = (sort or ("cos" if top else "index")).lower().replace("-", "_")
    if key not in ("index", "name", *METRICS):
        raise ConfigError(f"--sort {sort}: no such order", f"known: index, name, {', '.join(METRICS)}")
    return key


def _keep_worst(rows: list[LayerResult], key: str, top: int | None) -> list[LayerResult]:
    """Return the ``top`` worst rows (None: all) in their own order: by the metric ``key``, or by COS if it is none."""
    metric = key if key in METRICS else "cos"
    worst = sorted(range(len(rows)), key=lambda place: _badness(rows[place], metric), reverse=True)[:top]
    return [rows[place] for place in sorted(worst)]


def _sort_rows(rows: list[LayerResult], key: str) -> list[LayerResult]:
    """Return the rows by index, by name, or by a metric, worst first."""
    if key == "index":
        return rows
    if key == "name":
        return sorted(rows, key=lambda row: row.name)
    return sorted(rows, key=lambda row: _badness(row, key), reverse=True)


def _badness(row: LayerResult, key: str) -> float:
    """Return how bad a row is by one metric; no values, and NaN, are worst, equal tensors best."""
    metric = METRICS[key]
    value = row.values.get(key, float("nan"))
    if row.equal or value != value:
        return float("-inf") if row.equal else float("inf")
    if metric.higher_is_better is None:
        return abs(value - metric.best)
    return -value if metric.higher_is_better else value


def _details(path: str | None, keep: list[str]) -> contextlib.AbstractContextManager[DetailFolder | None]:
    """Return the folder for the details as a context manager, or one that yields None."""
    import datetime

    if path is None:
        return contextlib.nullcontext()
    from ipudebug.details import DetailFolder

    one_per_line = os.environ.get("SAVE_ONE_ROW", "") not in ("", "0")
    stamp = datetime.datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    return DetailFolder(path, stamp, one_per_line=one_per_line, keep=keep)
