"""``ipudebug run-onnx``: run an ONNX model on images and keep its outputs as text."""

import click

from ipudebug.cli.app import Command


@click.command(
    "run-onnx",
    cls=Command,
    section="Run a model",
    examples=[
        "ipudebug run-onnx -i cat.jpg --model model.onnx -n preprocess.py",
        "ipudebug run-onnx -i images/ --model model.onnx -n preprocess.py --input_config input_config.ini",
        "ipudebug run-onnx -i list.txt --model two_inputs.onnx -n left.py,right.py",
    ],
)
@click.option("-i", "--image", required=True, help="Image, folder, list of images (.txt), or FOLDER:LIST.")
@click.option("--model", required=True, help="The ONNX model.")
@click.option("-n", "--preprocess", required=True, help="Preprocess file; one per model input, ',' between them.")
@click.option(
    "--input_config", "--input-config", "input_config", help="input_config.ini, for its input_layouts.", metavar="INI"
)
@click.option("-o", "--output", default="output", show_default=True, help="Folder for the results.", metavar="FOLDER")
def command(image: str, model: str, preprocess: str, input_config: str | None, output: str) -> None:
    """Run an ONNX model and write its outputs to a text file per image.

    The preprocess file defines image_preprocess(image_path, norm=True), which returns an NHWC array. Results are named
    unknown_<model>_<image>.txt; those of an earlier run are replaced.
    """
    from ipudebug.cli.image_runs import run_images
    from ipudebug.runners import RUNNERS, ModelFiles

    run_images(lambda: RUNNERS["onnx"](ModelFiles(model)), model, image, preprocess, input_config, output)
