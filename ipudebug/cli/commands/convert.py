"""``ipudebug convert``: an original ONNX model -> the float model."""

from __future__ import annotations

import os

import click

from ipudebug.cli.app import Command
from ipudebug.cli.notes import show_note
from ipudebug.cli.options import BinaryFile, make_input_config_option, make_soc_version_option


@click.command(
    "convert",
    cls=Command,
    section="Simulate",
    examples=[
        "ipudebug convert --model_file model.onnx --input_config input_config.ini --soc_version souffle",
        "ipudebug convert onnx --model_file model.onnx --input_config input_config.ini --soc_version souffle"
        " --input_shapes 1,3,224,224",
    ],
)
@click.argument("framework", type=click.Choice(["onnx", "caffe", "tflite"]), required=False)
@click.option("--model_file", "--model-file", "model_file", required=True, metavar="FILE", help="The original model.")
@click.option(
    "--weight_file", "--weight-file", "weight_file", metavar="FILE", help="Weights of a Caffe model; not supported yet."
)
@make_input_config_option("Its input_config.ini.", required=True)
@click.option(
    "--output_file",
    "--output-file",
    "output_file",
    type=BinaryFile(),
    metavar="FILE",
    help="Where the float model goes; beside the original as <model>_float.sim unless given.",
)
@click.option(
    "--input_shapes",
    "--input-shapes",
    "input_shapes",
    metavar="SHAPES",
    help="Shapes of the inputs: ',' between dimensions, ':' between inputs.  [default: a batch left open becomes 1]",
)
@click.option(
    "--input_arrays",
    "--input-arrays",
    "input_arrays",
    metavar="NAMES",
    help="Begin at these tensors; ',' between them.",
)
@click.option(
    "--output_arrays",
    "--output-arrays",
    "output_arrays",
    metavar="NAMES",
    help="End at these tensors; ',' between them.",
)
@click.option(
    "--skip_simplify", "--skip-simplify", "skip_simplify", is_flag=True, help="Keep every node; only fix the shapes."
)
@make_soc_version_option("Name of the chip.", required=True)
def command(
    framework: str | None,
    model_file: str,
    weight_file: str | None,
    input_config: str,
    output_file: str | None,
    input_shapes: str | None,
    input_arrays: str | None,
    output_arrays: str | None,
    skip_simplify: bool,
    soc_version: str,
) -> None:
    """Convert an ONNX model to a float model.

    That is the first step on its way to the board. Constants are computed, batch norms folded into convolutions, nodes
    that do nothing taken out; the tensors that stay keep their names, so that a dump of the original lines up with one
    of the float model. What the chip's toolchain would refuse is refused here, with its message. FRAMEWORK may be left
    out.
    """
    from ipudebug.errors import OutputError, UnsupportedOp
    from ipudebug.sim.convert import convert_model, name_output
    from ipudebug.sim.saving import save_sim

    if weight_file is not None:
        hint = "export the model to ONNX; run-caffe and dump-caffe take it as it is"
        raise UnsupportedOp("--weight_file belongs to Caffe models: only ONNX models can be converted", hint)
    target = output_file or name_output(model_file)
    for source in (model_file, input_config):
        if os.path.exists(target) and os.path.exists(source) and os.path.samefile(target, source):
            raise OutputError(f"--output_file {target} would overwrite an input", "give another name")
    done = convert_model(
        model_file,
        input_config,
        soc_version,
        framework=framework,
        input_shapes=input_shapes,
        input_arrays=None if input_arrays is None else input_arrays.split(","),
        output_arrays=None if output_arrays is None else output_arrays.split(","),
        simplify=not skip_simplify,
    )
    for note in done.notes:
        show_note(note)
    existed = os.path.exists(target)
    files = save_sim(done.model, target)
    if existed:
        show_note(f"{target} existed and was replaced")
    click.echo(
        f"{model_file}: nodes {done.nodes_before} -> {done.nodes}: {done.constants} constants computed, "
        f"{done.batch_norms} batch norms folded, {done.no_ops} without effect removed, {done.unused} unused dropped"
    )
    for extra in files[1:]:
        click.echo(f"Weights in: {extra}")
    click.echo(f"Float model at: {target}")
