"""The second half of ``ipudebug demo``: the example on its way to the board, and what each step costs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from ipudebug import __version__
from ipudebug.cli.notes import show_note
from ipudebug.cli.versions import list_versions
from ipudebug.errors import ModelError

if TYPE_CHECKING:
    from ipudebug.comparison import Comparison, LayerResult
    from ipudebug.demo.ladder import Ladder
    from ipudebug.reports.summary import Summary
    from ipudebug.sim.lower import Lowered

SHOWN = 3  # worst layers of a comparison


def climb_ladder(folder: str, image: str, original: str) -> None:
    """Make the float, fixed and offline model of a work folder, and tell how each compares with the one before.

    Args:
        folder: the work folder.
        image: the image in it that is dumped.
        original: the dump of the original model on it.
    """
    from ipudebug.demo import ladder as steps
    from ipudebug.demo.work_folder import IMAGES, INPUT_CONFIG, PREPROCESS, locate_example
    from ipudebug.inputs.feeds import load_feeds
    from ipudebug.inputs.preprocess import load_preprocess

    preprocess = os.path.join(folder, PREPROCESS)
    # The package's own images: the user may have put others beside the copies.
    feeds = load_feeds(locate_example(IMAGES), preprocess, os.path.join(folder, INPUT_CONFIG), show_note)
    ladder = steps.Ladder(folder, feeds, load_preprocess(preprocess))
    if os.path.exists(ladder.locate(steps.FLOAT)):
        show_note(f"{os.path.join(folder, steps.FOLDER)} of an earlier run is replaced")
    click.echo(
        f"\n4. The model on its way to the board: convert, calibrate on the {len(feeds.samples)} images, compile"
    )
    _make_models(ladder)
    paths = _dump_stages(ladder, os.path.join(folder, image))
    click.echo(f"\n5. Float against the original: the {SHOWN} worst layers")
    _compare(paths[steps.FLOAT], original)
    click.echo(f"\n6. Fixed against float, what 8 bits cost: the {SHOWN} worst layers")
    narrow = _compare(paths[steps.FIXED], paths[steps.FLOAT])
    click.echo("\n7. The same layers with 16 bits: [CONV_CONFIG] input_format = ALL_INT16")
    _compare_again(paths[steps.WIDE], paths[steps.FLOAT], narrow)


def _make_models(ladder: Ladder) -> None:
    """Make the models, and tell of each what it is and what it is worth."""
    from ipudebug.demo.labels import count_labels
    from ipudebug.demo.ladder import FIXED, FLOAT, OFFLINE, WIDE, compute_outputs, find_difference

    samples = ladder.feeds.samples
    total = len(samples)
    outputs = {}

    def tell(name: str, what: str) -> None:
        outputs[name] = compute_outputs(ladder.open(name), ladder.feeds)
        right = count_labels(samples, outputs[name])
        click.echo(f"{ladder.locate(name)}: {what}; reads {right} of the {total} images correctly")

    done = ladder.make_float()
    for note in done.notes:
        show_note(note)
    tell(FLOAT, f"{done.nodes} of {done.nodes_before} nodes, {done.batch_norms} batch norms folded")
    tell(FIXED, f"8 bits, {_describe(ladder.make_fixed())}")
    tell(WIDE, f"16 bits, {_describe(ladder.make_wide())}")
    ladder.make_offline()
    tell(OFFLINE, "the fixed model, sealed")
    differing = find_difference(outputs[OFFLINE], outputs[FIXED])
    if differing is not None:
        path, image = ladder.locate(OFFLINE), samples[differing][0]
        raise ModelError(
            f"{path}: expected the outputs of the fixed model, found others on {image}", "please report this"
        )
    click.echo(f"offline equals fixed bit for bit: checked on all {total} images")


def _describe(done: Lowered) -> str:
    """Return what a fixed model is made of."""
    inexact = ", ".join(sorted(set(done.inexact)))
    return f"{done.operators} operators" + (f", not to the chip's bit: {inexact}" if inexact else "")


def _dump_stages(ladder: Ladder, image: str) -> dict[str, str]:
    """Dump what can be dumped, each with its manifest; return model -> dump."""
    from ipudebug.demo.ladder import FIXED, FLOAT, WIDE, WIDE_CONFIG, dump_layers
    from ipudebug.demo.work_folder import INPUT_CONFIG, PREPROCESS
    from ipudebug.manifest import write_manifest

    paths = {}
    config = os.path.join(ladder.folder, INPUT_CONFIG)
    for model, ini in ((FLOAT, config), (FIXED, config), (WIDE, ladder.locate(WIDE_CONFIG))):
        paths[model] = ladder.locate(f"{os.path.splitext(model)[0]}.bin")
        dump_layers(ladder.open(model), ladder.feeds, (image,), paths[model])
        preprocess = os.path.join(ladder.folder, PREPROCESS)
        facts = {"model": ladder.locate(model), "preprocess": preprocess, "input_config": ini, "dequantFixed": True}
        write_manifest(paths[model], f"ipudebug {__version__}", list_versions("onnxruntime"), (image,), facts)
    return paths


def _measure(sample: str, benchmark: str) -> tuple[Comparison, Summary, list[LayerResult]]:
    """Return a comparison, what it comes to, and its rows, the largest RMSE first."""
    from ipudebug.comparison import compare
    from ipudebug.metrics import VENDOR
    from ipudebug.reports.summary import Summary

    comparison = compare(sample=sample, benchmark=benchmark, metrics=(*VENDOR, "sqnr"))
    summary = Summary(comparison)
    rows = [row for row in summary.watch(comparison) if row.compared]
    return comparison, summary, sorted(rows, key=_rank)


def _rank(row: LayerResult) -> float:
    """Return where a row stands among the others: the largest RMSE is first, but for what is no number."""
    rmse = row.values["rmse"]
    return -rmse if rmse == rmse else float("-inf")


def _show(comparison: Comparison, rows: list[LayerResult]) -> None:
    """Print rows of a comparison."""
    from ipudebug.reports import REPORTS

    for piece in REPORTS["rows"].render(comparison, rows):
        click.echo(piece, nl=False)


def _compare(sample: str, benchmark: str) -> list[LayerResult]:
    """Compare two dumps, print the worst rows and the summary, and return all rows, worst first."""
    comparison, summary, rows = _measure(sample, benchmark)
    _show(comparison, rows[:SHOWN])
    for line in summary.lines():
        click.echo(line)
    return rows


def _compare_again(sample: str, benchmark: str, narrow: list[LayerResult]) -> None:
    """Compare the dump with 16 bits, print the rows that were worst with 8, and what became of the worst."""
    comparison, _, rows = _measure(sample, benchmark)
    wide = {row.name: row for row in rows}
    _show(comparison, [wide[row.name] for row in narrow[:SHOWN]])
    worst = narrow[0]
    (rmse, now), (sqnr, then) = ([row.values[key] for row in (worst, wide[worst.name])] for key in ("rmse", "sqnr"))
    click.echo(
        f"{worst.name}, the worst layer with 8 bits: RMSE {rmse:.6f} -> {now:.6f}, SQNR {sqnr:.1f} -> {then:.1f} dB"
    )
    for row in rows:
        if row.sample.info.role == "in":
            click.echo(f"the input {row.name} has 8 bits in both: RMSE {row.values['rmse']:.6f}")
