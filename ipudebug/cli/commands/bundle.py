"""``ipudebug bundle``: what support needs, in one zip."""

from __future__ import annotations

import click

from ipudebug.cli.app import Command
from ipudebug.cli.options import BinaryFile


@click.command(
    "bundle",
    cls=Command,
    section="Check and explain",
    short_help="Pack a suspect operator for support.",
    examples=[
        "ipudebug bundle fixed.bin float.bin",
        "ipudebug bundle fixed.bin float.bin --layer conv5 --config input_config.ini -o conv5.zip",
    ],
)
@click.argument("sample", type=click.Path())
@click.argument("benchmark", type=click.Path())
@click.option(
    "-o",
    "--output",
    type=BinaryFile(),
    default="bundle.zip",
    show_default=True,
    metavar="FILE",
    help="The zip to write.",
)
@click.option("--layer", metavar="NAME", help="The suspect [default: the first suspicious layer, else the worst].")
@click.option(
    "--map", "map_file", metavar="FILE", help="Renamed tensors: 'sample-name benchmark-name', one pair a line."
)
@click.option("--config", "configs", multiple=True, metavar="FILE", help="Take this file along. Repeatable.")
@click.option("--weights", is_flag=True, help="Take the suspect operator's weights along; they are left out otherwise.")
def command(
    sample: str,
    benchmark: str,
    output: str,
    layer: str | None,
    map_file: str | None,
    configs: tuple[str, ...],
    weights: bool,
) -> None:
    """Pack into one zip what support asks for: SAMPLE is the suspect dump, BENCHMARK the trusted.

    In it are the report of all layers, the suspect operator's inputs and outputs of both sides, quantisation parameters
    as far as the dumps tell them, and manifests and configuration. Weights, models and images are left out. What is
    in it goes to stdout.
    """
    import os

    from ipudebug.bundle import write_bundle
    from ipudebug.cli.gate import warn_of_conflicts
    from ipudebug.cli.output import check_keep
    from ipudebug.cli.versions import describe_environment
    from ipudebug.comparison import compare
    from ipudebug.config.name_map import load_name_map
    from ipudebug.metrics import VENDOR
    from ipudebug.reports.cells import show_name
    from ipudebug.reports.severity import find_suspect

    check_keep(output, (sample, benchmark, *configs, *([map_file] if map_file else [])))
    mapping = load_name_map(map_file) if map_file else None
    comparison = compare(sample=sample, benchmark=benchmark, metrics=(*VENDOR, "sqnr"), mapping=mapping)
    rows = list(comparison)
    suspect = find_suspect(rows, layer)
    names = write_bundle(
        output, comparison, rows, suspect, configs=configs, with_weights=weights, environment=describe_environment()
    )
    for name in names:
        click.echo(name)
    told = (
        f"the suspect is {suspect.index}) {show_name(suspect.name)}" if suspect else "all layers are equal: no suspect"
    )
    click.echo(told, err=True)
    warn_of_conflicts(comparison)
    size = f"{len(names)} files, {os.path.getsize(output):,} bytes"
    click.echo(f"{output}: {size}: look through it before sending it", err=True)
