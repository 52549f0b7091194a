"""``ipudebug run-tflite``: run a TFLite model on images and keep its outputs as text."""

import click

from ipudebug.cli.app import Command


@click.command(
    "run-tflite",
    cls=Command,
    section="Run a model",
    examples=["ipudebug run-tflite -i cat.jpg --model model.tflite -n preprocess.py"],
)
@click.option("-i", "--image", required=True, help="Image, folder, list of images (.txt), or FOLDER:LIST.")
@click.option("--model", required=True, help="The TFLite model.")
@click.option("-n", "--preprocess", required=True, help="Preprocess file; one per model input, ',' between them.")
@click.option("--raw", is_flag=True, help="Write the integers of a quantised model, not the values they stand for.")
@click.option("-o", "--output", default="output", show_default=True, help="Folder for the results.", metavar="FOLDER")
def command(image: str, model: str, preprocess: str, raw: bool, output: str) -> None:
    """Run a TFLite model and write its outputs to a text file per image.

    Needs the extra tflite: pip install 'ipudebug[tflite]'. The preprocess file defines image_preprocess(image_path,
    norm=True), which returns an NHWC array; nothing is transposed. Results are named unknown_<model>_<image>.txt; those
    of an earlier run are replaced.
    """
    from ipudebug.cli.image_runs import run_images
    from ipudebug.runners import RUNNERS, ModelFiles

    run_images(lambda: RUNNERS["tflite"](ModelFiles(model), raw=raw), model, image, preprocess, None, output)
