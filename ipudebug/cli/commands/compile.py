"""``ipudebug compile``: a fixed model -> the offline model."""

from __future__ import annotations

import os

import click

from ipudebug.cli.app import Command
from ipudebug.cli.notes import show_note
from ipudebug.cli.options import BinaryFile, make_soc_version_option


@click.command(
    "compile",
    cls=Command,
    section="Simulate",
    examples=[
        "ipudebug compile -m model_fixed.sim --soc_version souffle",
        "ipudebug compile -m model_fixed.sim -o model.img -b 1,4 --batch_mode one_buf",
    ],
)
@click.option("-m", "--model", required=True, metavar="FILE", help="The fixed model.")
@click.option(
    "-o", "--output", type=BinaryFile(), metavar="FILE", help="The offline model; <model>.sim_sgsimg.img unless given."
)
@click.option(
    "-b", "--batch", default="1", show_default=True, metavar="SIZES", help="Images that the board runs at once."
)
@click.option(
    "--batch_mode",
    "--batch-mode",
    "batch_mode",
    type=click.Choice(["n_buf", "one_buf"]),
    default="n_buf",
    show_default=True,
    help="n_buf: a buffer per image, one size. one_buf: one buffer, several sizes with ',' between them.",
)
@make_soc_version_option("Name of the chip; the fixed model's.")
def command(model: str, output: str | None, batch: str, batch_mode: str, soc_version: str | None) -> None:
    """Seal a fixed model as an offline model, the last step on its way to the board.

    The header repeats what is known of inputs and outputs; simulate checks all of it before it runs the model, whose
    results are those of the fixed model, bit for bit. A board itself takes only what SigmaStar's compiler writes.
    """
    from ipudebug.errors import OutputError
    from ipudebug.sim.seal import name_output, parse_batches, seal_model

    batches = parse_batches(batch, batch_mode)
    target = output or name_output(model)
    existed = os.path.exists(target)
    if existed and os.path.exists(model) and os.path.samefile(target, model):
        raise OutputError(f"-o {target} would overwrite an input", "give another name")
    seal_model(model, target, soc_version, batch_mode=batch_mode, batches=batches)
    if existed:
        show_note(f"{target} existed and was replaced")
    click.echo(f"Offline model at: {target}")
