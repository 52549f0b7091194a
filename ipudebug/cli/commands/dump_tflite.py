"""``ipudebug dump-tflite``: every operator's output of a TFLite model on one image."""

from __future__ import annotations

import os

import click

from ipudebug.cli.app import Command
from ipudebug.cli.options import dump_folder_option, image_option, make_dump_bin_option, preprocess_option


@click.command(
    "dump-tflite",
    cls=Command,
    section="Dump every layer",
    examples=[
        "ipudebug dump-tflite --model model.tflite -i cat.jpg -n preprocess.py",
        "ipudebug dump-tflite --model quantised.tflite -i cat.jpg -n preprocess.py --raw",
    ],
)
@click.option("-m", "--model", required=True, metavar="FILE", help="The TFLite model.")
@image_option
@make_dump_bin_option(default="True")
@preprocess_option
@click.option("--raw", is_flag=True, help="Dump quantised tensors as the integers that they hold; binary only.")
@dump_folder_option
def command(model: str, image: str, dump_bin: str, preprocess: str, raw: bool, output: str) -> None:
    """Dump the output of every operator of a TFLite model, in execution order.

    Needs the extra tflite: pip install 'ipudebug[tflite]'. Nothing is transposed: TFLite is NHWC. Writes
    FOLDER/tflite_outtensor_dump.bin, ready for 'ipudebug compare'; with --dump_bin False a .txt instead, and one file a
    tensor in FOLDER/NHWC and FOLDER/NCHW. Quantised tensors are dumped as the values that they stand for. A folder or
    list dumps its first image.
    """
    from ipudebug.cli.dump_images import dump_first_image
    from ipudebug.cli.notes import show_note
    from ipudebug.inputs.feeds import load_feeds
    from ipudebug.runners import RUNNERS, ModelFiles
    from ipudebug.tensor import Layout

    binary = dump_bin.lower() == "true"
    if raw and not binary:
        raise click.UsageError("--raw needs --dump_bin True: text holds real values only")
    dump_first_image(
        lambda: RUNNERS["tflite"](ModelFiles(model), raw=raw),
        "tflite",
        load_feeds(image, preprocess, None, show_note),
        output,
        binary=binary,
        layout=Layout.NHWC,
        facts={"model": model, "preprocess": preprocess, "raw": raw},
        dialect="tflite",
        raw=raw,
    )
    click.echo(f"TFLite dump data done. See results in {os.path.join('.', output)}")
