"""``ipudebug dump-onnx``: every layer of an ONNX model on one image."""

from __future__ import annotations

import os

import click

from ipudebug.cli.app import Command
from ipudebug.cli.options import (
    dump_bin_option,
    dump_folder_option,
    image_option,
    input_config_option,
    preprocess_option,
)


@click.command(
    "dump-onnx",
    cls=Command,
    section="Dump every layer",
    examples=[
        "ipudebug dump-onnx --model_file model.onnx -i cat.jpg --dump_bin True -n preprocess.py",
        "ipudebug dump-onnx --model_file model.onnx -i cat.jpg --dump_bin False -n preprocess.py",
        "ipudebug dump-onnx --model_file two.onnx -i list.txt --dump_bin True -n left.py,right.py",
    ],
)
@click.option("--model_file", "--model-file", "model", required=True, metavar="FILE", help="The ONNX model.")
@image_option
@dump_bin_option
@preprocess_option
@input_config_option
@click.option("--optimize", is_flag=True, help="Let onnxruntime optimise the graph. Off, every layer is as written.")
@dump_folder_option
def command(
    model: str, image: str, dump_bin: str, preprocess: str, input_config: str | None, optimize: bool, output: str
) -> None:
    """Dump the output of every layer of an ONNX model, in execution order, 4-D tensors as NHWC.

    Writes FOLDER/onnx_NHWC_outtensor_dump.bin, ready to be the benchmark of 'ipudebug compare'; with --dump_bin False
    the same as .txt, and one file a tensor in FOLDER/NHWC and FOLDER/NCHW. What it was made from stands beside it in a
    .json. A folder or list dumps its first image.
    """
    from ipudebug.cli.dump_images import dump_first_image
    from ipudebug.cli.notes import show_note
    from ipudebug.inputs.feeds import load_feeds
    from ipudebug.runners import RUNNERS, ModelFiles
    from ipudebug.tensor import Layout

    optimisation = "all" if optimize else "off"
    dump_first_image(
        lambda: RUNNERS["onnx"](ModelFiles(model), optimize=optimize),
        "onnx",
        load_feeds(image, preprocess, input_config, show_note),
        output,
        binary=dump_bin.lower() == "true",
        layout=Layout.NCHW,
        facts={
            "model": model,
            "preprocess": preprocess,
            "input_config": input_config,
            "graph_optimization": optimisation,
        },
    )
    click.echo(f"graph optimisation: {optimisation}")
    click.echo(f"Onnx dump data done. See results in {os.path.join('.', output)}")
