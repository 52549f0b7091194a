"""``ipudebug demo``: the main job, and the way to the board, on the example that the package carries."""

from __future__ import annotations

import os
from collections.abc import Iterator

import click

from ipudebug.cli.app import Command

IMAGE = "images/digit_4_a.png"
FAULTY = "faulty.onnx"
DUMP = "onnx_NHWC_outtensor_dump.bin"


@click.command(
    "demo",
    cls=Command,
    section="Start here",
    short_help="Find a planted fault in a small model, and take it to the board.",
    examples=[
        "ipudebug demo",
        "ipudebug demo --fault channel_order --layer conv4",
        "ipudebug demo -o try",
    ],
)
@click.option("-o", "--output", default="ipudebug-demo", show_default=True, metavar="DIR", help="Folder to work in.")
@click.option(
    "--fault",
    "kind",
    metavar="KIND",
    help="Fault to plant: clipped (default), wrong_scale, one_channel, channel_order, bias_dropped, shifted_padding.",
)
@click.option("--layer", metavar="NAME", help="Layer to plant it in. Default: one in the middle of the model.")
def command(output: str, kind: str | None, layer: str | None) -> None:
    """Find the layer with a fault, and take a model to the board, as with one of your own.

    Copies a small digits model with its preprocess file, configuration and images into DIR, dumps every layer of it,
    plants a fault in one layer, dumps again, compares the two dumps and names the layer. Then it takes the sound model
    on its way to the board, through float, fixed and offline, and shows what each step does to the layers. Needs no
    network. A DIR that an earlier demo made is refreshed, unless you edited the files that it copied.
    """
    import onnx

    from ipudebug.cli.demo_ladder import climb_ladder
    from ipudebug.comparison import compare
    from ipudebug.demo.faults import choose_place, find_fault, plant_fault
    from ipudebug.demo.work_folder import MODEL, locate_example, prepare_folder
    from ipudebug.files import replace_file
    from ipudebug.reports import REPORTS
    from ipudebug.reports.summary import Summary

    model = onnx.load(locate_example(MODEL))
    kind, layer = choose_place(model, kind, layer)
    faulty = plant_fault(model, layer, kind)
    refreshed = prepare_folder(output)
    with replace_file(os.path.join(output, FAULTY)) as file:
        file.write(faulty.SerializeToString())
    done = "refreshed" if refreshed else "made"
    click.echo(f"{done} {output}: a model that reads digits, its images, preprocess file and configuration\n")

    click.echo(f"1. The model as it is: dump every layer on {IMAGE}")
    benchmark = _dump(output, MODEL, "benchmark")
    click.echo(f"2. A copy with a fault in {layer}: {find_fault(kind).summary} ({kind}). Dump that too")
    sample = _dump(output, FAULTY, "sample")
    click.echo("3. Compare the two dumps, layer by layer; nothing else is looked at")
    comparison = compare(sample=sample, benchmark=benchmark)
    summary = Summary(comparison)
    rows = list(summary.watch(comparison))
    for piece in REPORTS["rows"].render(comparison, rows):
        click.echo(piece, nl=False)
    for line in summary.lines():
        click.echo(line)
    differing = next((row.name for row in rows if not row.equal), None)
    click.echo(_judge(layer, summary.first.name if summary.first else None, differing))
    climb_ladder(output, IMAGE, benchmark)
    click.echo("\nTry next:")
    for line in _suggest(output, summary.first.name if summary.first else layer):
        click.echo(f"  {line}")


def _dump(folder: str, model: str, side: str) -> str:
    """Dump every layer of a model of the work folder, tell how it reads the images, and return the dump's path."""
    from ipudebug.cli.dump_images import dump_first_image
    from ipudebug.cli.notes import show_note
    from ipudebug.demo.labels import count_right
    from ipudebug.demo.work_folder import IMAGES, INPUT_CONFIG, PREPROCESS, locate_example
    from ipudebug.inputs.feeds import load_feeds
    from ipudebug.runners import RUNNERS, ModelFiles
    from ipudebug.tensor import Layout

    path, preprocess, config = (os.path.join(folder, name) for name in (model, PREPROCESS, INPUT_CONFIG))
    runner = RUNNERS["onnx"](ModelFiles(path))
    output = os.path.join(folder, side)
    dump_first_image(
        lambda: runner,
        "onnx",
        load_feeds(os.path.join(folder, IMAGE), preprocess, config, show_note),
        output,
        binary=True,
        layout=Layout.NCHW,
        facts={"model": path, "preprocess": preprocess, "input_config": config, "graph_optimization": "off"},
    )
    # The package's own images: the user may have put some without a label beside the copies.
    images = load_feeds(locate_example(IMAGES), preprocess, config, show_note)
    click.echo(f"the model reads {count_right(runner, images)} of the {len(images.samples)} images correctly\n")
    return os.path.join(output, DUMP)


def _judge(planted: str, first: str | None, differing: str | None) -> str:
    """Return what the comparison found, held against where the fault was planted."""
    if first == planted:
        return f"Found: {first} is the layer with the fault."
    if differing is None:
        return f"The fault is in {planted}, but this image does not show it: no layer differs."
    found = f"{first} is the first above them" if first else "no layer is above them"
    return f"The fault is in {planted}, too small there for the thresholds: {found}, {differing} the first to differ."


def _suggest(folder: str, layer: str) -> Iterator[str]:
    """Yield command lines to go on with."""
    import shlex

    dumps = f"sample/{DUMP} benchmark/{DUMP}"
    yield "ipudebug demo --fault channel_order --layer conv4"
    yield f"cd {shlex.quote(folder)}"
    yield f"ipudebug compare {dumps} --format table --sort rmse --top 5"
    yield f"ipudebug compare {dumps} --layer {shlex.quote(layer)} --metric sqnr --details details"
    yield "ipudebug compare ladder/model_fixed.bin ladder/model_float.bin --format table --metric sqnr"
    yield f"ipudebug run-onnx -i images --model {FAULTY} -n preprocess.py"
    yield "ipudebug dump-onnx --model_file model.onnx -i images/digit_3_a.png --dump_bin True -n preprocess.py"
