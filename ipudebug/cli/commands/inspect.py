"""``ipudebug inspect``: what a model file says about itself."""

from __future__ import annotations

import click

from ipudebug.cli.app import Command
from ipudebug.errors import InputError


@click.command(
    "inspect",
    cls=Command,
    section="Check and explain",
    examples=[
        "ipudebug inspect model_fixed.sim",
        "ipudebug inspect model_fixed.sim --op CONV_2D",
        "ipudebug inspect model_fixed.sim --tensor conv1 --json",
        "ipudebug inspect model_float.sim --diff model_fixed.sim",
    ],
)
@click.argument("model")
@click.option("--op", "operator", metavar="OP", help="Only operators of this type, name or number, in detail.")
@click.option("--tensor", metavar="NAME", help="Only this tensor, in detail.")
@click.option(
    "--diff", "other", metavar="MODEL", help="What another model has otherwise: fused operators, types, ranges."
)
@click.option("--json", "as_json", is_flag=True, help="JSON instead of tables.")
@click.option("-o", "--output", default="-", metavar="FILE", help="Write to FILE instead of stdout ('-').")
def command(
    model: str, operator: str | None, tensor: str | None, other: str | None, as_json: bool, output: str
) -> None:
    """Show what a model file holds: stage, inputs and outputs, operators, tensors with type, range and memory.

    Takes the vendor's .sim and .img of SDK 1.1.5, our own, ONNX, TFLite and Caffe (.prototxt) models. Nothing is run.
    """
    from ipudebug.cli import model_tables
    from ipudebug.cli.output import write_output
    from ipudebug.sim.facts.choice import choose_operators, choose_tensors
    from ipudebug.sim.facts.difference import find_differences
    from ipudebug.sim.facts.gather import gather_facts

    facts = gather_facts(model)
    if other is not None:
        if operator is not None or tensor is not None:
            raise InputError("--diff compares whole models", "leave out --op and --tensor")
        differences = list(find_differences(facts, gather_facts(other)))
        render_pair = model_tables.render_differences_json if as_json else model_tables.render_differences
        write_output(output, render_pair(model, other, differences), keep=(model, other))
        return
    everything = operator is None and tensor is None
    operators = list(facts.operators) if everything else choose_operators(facts, operator)
    tensors = list(facts.tensors.values()) if everything else choose_tensors(facts, tensor)
    plain = model_tables.render_model if everything else model_tables.render_details
    render = model_tables.render_json if as_json else plain
    write_output(output, render(facts, operators, tensors), keep=(model,))
