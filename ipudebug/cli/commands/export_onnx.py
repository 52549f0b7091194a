"""``ipudebug export-onnx``: a float model of the vendor's as an ONNX file that runs anywhere."""

from __future__ import annotations

import click

from ipudebug.cli.app import Command
from ipudebug.cli.options import BinaryFile


@click.command(
    "export-onnx",
    cls=Command,
    section="Simulate",
    examples=["ipudebug export-onnx model_float.sim -o model_float.onnx"],
)
@click.argument("model")
@click.option("-o", "--output", type=BinaryFile(), required=True, metavar="FILE", help="The ONNX file to write.")
def command(model: str, output: str) -> None:
    """Write a float or cmodel float .sim of the vendor's as standard ONNX.

    Tensors keep their names; images are NCHW, as onnxruntime likes them, with values as the preprocess file makes them
    (norm=True). The numbers are those of the vendor's float simulator.
    """
    from ipudebug.sim.export import export_onnx

    size = export_onnx(model, output)
    click.echo(f"{output}: {size} bytes", err=True)
