"""``ipudebug save-quant-param``: the quantisation of a fixed model as JSON."""

from __future__ import annotations

import click

from ipudebug.cli.app import Command


@click.command(
    "save-quant-param",
    cls=Command,
    section="Simulate",
    examples=[
        "ipudebug save-quant-param -m model_fixed.sim",
    ],
)
@click.option("-m", "--model", required=True, metavar="FILE", help="The fixed model.")
@click.option(
    "--output_mode",
    "--output-mode",
    "output_mode",
    type=click.Choice(["JSON"], case_sensitive=False),
    default="JSON",
    show_default=True,
    help="What is written; SigmaStar's Pickle is not supported.",
)
def command(model: str, output_mode: str) -> None:
    """Write the range and the bits of every tensor of a fixed model to <model>.json.

    'ipudebug calibrate --quant_file' takes the file back and makes the same parameters of it, or others where its
    numbers were changed.
    """
    from ipudebug.sim.container import open_sim
    from ipudebug.sim.loading import load_sim
    from ipudebug.sim.model import Stage
    from ipudebug.sim.quant_param import write_quant_params

    open_sim(model, Stage.FIXED)
    target = f"{model}.json"
    write_quant_params(load_sim(model), target)
    click.echo(f"Quant param saved in {target}")
