"""``ipudebug dump-caffe``: every layer of a Caffe network on one image."""

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
    "dump-caffe",
    cls=Command,
    section="Dump every layer",
    examples=[
        "ipudebug dump-caffe --model_file net.prototxt --weight_file net.caffemodel -i cat.jpg --dump_bin True -n p.py",
    ],
)
@click.option("--model_file", "--model-file", "model", required=True, metavar="FILE", help="The network, .prototxt.")
@click.option(
    "--weight_file", "--weight-file", "weight", required=True, metavar="FILE", help="Its weights, .caffemodel."
)
@image_option
@dump_bin_option
@preprocess_option
@input_config_option
@dump_folder_option
def command(
    model: str, weight: str, image: str, dump_bin: str, preprocess: str, input_config: str | None, output: str
) -> None:
    """Dump the output of every layer of a Caffe network, in execution order, unfused, 4-D tensors as NHWC.

    Needs the extra caffe: pip install 'ipudebug[caffe]'. Layers that work in place show every value: conv, conv_xx,
    conv_xx_xx, as the vendor's converter names them. Writes FOLDER/caffe_NHWC_outtensor_dump.bin, ready to be the
    benchmark of 'ipudebug compare'; with --dump_bin False the same as .txt, and one file a tensor in FOLDER/NHWC and
    FOLDER/NCHW. FOLDER/shape.txt lists names and shapes. A folder or list dumps its first image.
    """
    from ipudebug.cli.dump_images import dump_first_image
    from ipudebug.cli.notes import show_note
    from ipudebug.cli.shape_list import write_shape_list
    from ipudebug.inputs.feeds import load_feeds
    from ipudebug.runners import RUNNERS, ModelFiles
    from ipudebug.tensor import Layout

    written = dump_first_image(
        lambda: RUNNERS["caffe"](ModelFiles(model, weight)),
        "caffe",
        load_feeds(image, preprocess, input_config, show_note),
        output,
        binary=dump_bin.lower() == "true",
        layout=Layout.NCHW,
        facts={"model": model, "weights": weight, "preprocess": preprocess, "input_config": input_config},
    )
    write_shape_list(output, written)
    click.echo(f"Caffe dump data done. See results in {os.path.join('.', output)}")
