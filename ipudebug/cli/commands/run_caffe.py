"""``ipudebug run-caffe``: run a Caffe network on images and keep its outputs as text."""

import click

from ipudebug.cli.app import Command


@click.command(
    "run-caffe",
    cls=Command,
    section="Run a model",
    examples=[
        "ipudebug run-caffe -i cat.jpg --model net.prototxt --weight net.caffemodel -n preprocess.py",
    ],
)
@click.option("-i", "--image", required=True, help="Image, folder, list of images (.txt), or FOLDER:LIST.")
@click.option("--model", required=True, help="The network, .prototxt.")
@click.option("--weight", required=True, help="Its weights, .caffemodel.")
@click.option("-n", "--preprocess", required=True, help="Preprocess file; one per model input, ',' between them.")
@click.option(
    "--input_config", "--input-config", "input_config", help="input_config.ini, for its input_layouts.", metavar="INI"
)
@click.option("-o", "--output", default="output", show_default=True, help="Folder for the results.", metavar="FOLDER")
def command(image: str, model: str, weight: str, preprocess: str, input_config: str | None, output: str) -> None:
    """Run a Caffe network and write its outputs to a text file per image.

    Needs the extra caffe: pip install 'ipudebug[caffe]'. The preprocess file defines image_preprocess(image_path,
    norm=True), which returns an NHWC array. Results are named unknown_<model>_<image>.txt; those of an earlier run are
    replaced.
    """
    from ipudebug.cli.image_runs import run_images
    from ipudebug.runners import RUNNERS, ModelFiles

    run_images(lambda: RUNNERS["caffe"](ModelFiles(model, weight)), model, image, preprocess, input_config, output)
