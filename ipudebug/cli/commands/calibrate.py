"""``ipudebug calibrate``: a float model and images -> the fixed model."""

from __future__ import annotations

import click

from ipudebug.cli.app import Command
from ipudebug.cli.options import (
    BinaryFile,
    make_category_option,
    make_input_config_option,
    make_soc_version_option,
    preprocess_option,
)


@click.command(
    "calibrate",
    cls=Command,
    section="Simulate",
    examples=[
        "ipudebug calibrate -i images/ -m model_float.sim --input_config input_config.ini -n preprocess.py",
        "ipudebug calibrate -i list.txt -m model_float.sim --input_config input_config.ini -n preprocess.py"
        " --quant_level L4 -o better_fixed.sim",
        "ipudebug calibrate -i images/ -m model_float.sim --input_config input_config.ini -n preprocess.py"
        " --quant_file model_fixed.sim.json",
    ],
)
@click.option("-i", "--image", required=True, metavar="PATH", help="Calibration images: folder, list, or FOLDER:LIST.")
@click.option("-m", "--model", required=True, metavar="FILE", help="The float model.")
@make_input_config_option("Its input_config.ini.", required=True)
@preprocess_option
@make_soc_version_option("Name of the chip, if not the model's.")
@make_category_option("As SigmaStar's calibrator has it; makes no difference here.")
@click.option(
    "-o",
    "--output",
    type=BinaryFile(),
    metavar="FILE",
    help="Where the fixed model goes; beside the float model unless given.",
)
@click.option(
    "--quant_level",
    "--quant-level",
    "quant_level",
    type=click.Choice(["L1", "L2", "L3", "L4", "L5"], case_sensitive=False),
    default="L5",
    show_default=True,
    help="L1: one scale for all channels of a weight. L2, L3: measured ranges, weights to the nearest. L4: smallest"
    " squared error, compensated. L5: measured ranges, compensated.",
)
@click.option("--method", metavar="NAME", help="min-max, percentile, mse or entropy, instead of the level's.")
@click.option(
    "--quant_file",
    "--quant-file",
    "quant_file",
    metavar="JSON",
    help="Ranges to take as they are: see save-quant-param.",
)
@click.option(
    "--compensate/--no-compensate",
    default=None,
    help="Let convolutions make up for the rounding of their weights, or round each to the nearest integer as in"
    " SigmaStar's files.  [default: with L4 and L5, but not with --quant_file]",
)
@click.option(
    "--num_process",
    "--num-process",
    "num_process",
    type=click.IntRange(min=1),
    metavar="N",
    help="Images at a time; the result is the same for any number.  [default: one a processor]",
)
def command(
    image: str,
    model: str,
    input_config: str,
    preprocess: str,
    soc_version: str | None,
    category: str,
    output: str | None,
    quant_level: str,
    method: str | None,
    quant_file: str | None,
    compensate: bool | None,
    num_process: int | None,
) -> None:
    """Quantise a float model: measure its tensors on images, and write the integer model of the chip.

    About 30 images like those in use will do. Tensors that feed a convolution get 8 bits, others 16; [CONV_CONFIG] of
    the ini changes that. A DebugConfig.txt with disableDomainFuseOps in the working directory keeps every layer visible
    to a dump. Where mean and std of the ini are not those of the preprocess file, the difference is told.
    """
    from ipudebug.cli.calibrations import CalibrateOptions, run_calibration

    run_calibration(
        CalibrateOptions(
            image,
            model,
            input_config,
            preprocess,
            soc_version,
            output,
            quant_level.upper(),
            method,
            quant_file,
            compensate,
            num_process,
        )
    )
