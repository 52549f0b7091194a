"""``ipudebug check``: everything that the toolchain would refuse, before a conversion is started."""

from __future__ import annotations

import collections

import click

from ipudebug.cli.app import EXIT_MISSED, Command
from ipudebug.cli.options import make_input_config_option, make_soc_version_option


@click.command(
    "check",
    cls=Command,
    section="Check and explain",
    examples=[
        "ipudebug check model.onnx",
        "ipudebug check model.onnx --input_config input_config.ini --soc_version souffle",
        "ipudebug check model.onnx --input_shapes 1,3,224,224 --format sarif -o check.sarif",
    ],
)
@click.argument("model")
@make_input_config_option("input_config.ini to check with it.")
@make_soc_version_option("Name of the chip.")
@click.option(
    "--input_shapes",
    "--input-shapes",
    "input_shapes",
    metavar="SHAPES",
    help="Shapes for inputs that are dynamic: ',' between dimensions, ':' between inputs, as for the converter.",
)
@click.option("--format", "report", type=click.Choice(["table", "json", "sarif"]), default="table", show_default=True)
@click.option("-o", "--output", default="-", metavar="FILE", help="Write the report to FILE instead of stdout ('-').")
def command(
    model: str, input_config: str | None, soc_version: str | None, input_shapes: str | None, report: str, output: str
) -> int:
    """List what the toolchain would refuse in a model.

    MODEL is an ONNX file, or a float.sim that ipudebug made from one. Every finding is listed with the message that
    the conversion would end in, and what to change. An error is refused, a warning may be, a note says what is not
    public. The weights are not read.

    Exit code: 0 no errors, 1 errors were found, 2 trouble.
    """
    from ipudebug.cli.findings import FORMATS
    from ipudebug.cli.output import write_output
    from ipudebug.sim.constraints import check_model, load_subject

    subject = load_subject(model, input_config, soc_version, input_shapes)
    findings = check_model(subject)
    keep = (model, input_config) if input_config else (model,)
    write_output(output, FORMATS[report](findings, model), keep=keep)
    counts = collections.Counter(finding.level for finding in findings)
    shown = [f"{counts[level]} {level}{'s' * (counts[level] != 1)}" for level in ("error", "warning", "note")]
    click.echo(f"{model}: {', '.join(shown)}", err=True)
    return EXIT_MISSED if counts["error"] else 0
