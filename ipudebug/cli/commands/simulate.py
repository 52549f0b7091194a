"""``ipudebug simulate``: run a float, fixed or offline model, and dump its layers."""

from __future__ import annotations

from typing import Any

import click

from ipudebug.cli.app import EXIT_MISSED, Command
from ipudebug.cli.board_options import BoardOptions, board_options
from ipudebug.cli.options import (
    image_option,
    input_config_option,
    make_category_option,
    make_soc_version_option,
    preprocess_option,
)


@click.command(
    "simulate",
    cls=Command,
    section="Simulate",
    examples=[
        "ipudebug simulate -m model_float.sim -i cat.jpg -n preprocess.py --soc_version souffle",
        "ipudebug simulate -m model_fixed.sim -i images/ -n preprocess.py --num_process 4",
        "ipudebug simulate -m model_fixed.sim -i images/ -n preprocess.py -c Classification -l labels.txt",
        "ipudebug simulate -m model_fixed.sim_sgsimg.img -i images/ -n preprocess.py --host 192.168.1.20 --port 8000",
    ],
)
@click.option("-m", "--model", required=True, metavar="FILE", help="A float, fixed or offline model.")
@image_option
@preprocess_option
@input_config_option
@make_soc_version_option("Name of the chip; an offline model must fit.")
@make_category_option("What the results are written as: output tensors, the five best classes, or boxes.")
@click.option("-l", "--label", "labels", metavar="FILE", help="Lines '<image> <class>': measure the accuracy.")
@click.option(
    "--num_process",
    "--num-process",
    "num_process",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes that share the images.",
)
@click.option(
    "--dump_rawdata", "--dump-rawdata", "dump_rawdata", is_flag=True, help="Write the input bytes to <image>.bin."
)
@click.option(
    "--skip_garbage", "--skip-garbage", "skip_garbage", is_flag=True, help="Write outputs without alignment columns."
)
@click.option(
    "--draw_result",
    "--draw-result",
    "draw_result",
    metavar="DIR[,THRESHOLD]",
    help="Draw the boxes of a detector.  [default threshold: 0.5]",
)
@click.option(
    "--continue_run", "--continue-run", "continue_run", is_flag=True, help="Skip images that have a result already."
)
@click.option("--overwrite", is_flag=True, help="Delete what an earlier run left instead of moving it aside.")
@board_options
def command(
    model: str,
    image: str,
    preprocess: str,
    input_config: str | None,
    soc_version: str | None,
    category: str,
    labels: str | None,
    num_process: int,
    dump_rawdata: bool,
    skip_garbage: bool,
    draw_result: str | None,
    continue_run: bool,
    overwrite: bool,
    **board: Any,
) -> int:
    """Run a float, fixed or offline model on images, whichever it is, and write a result file for each.

    Results go to log/output. The preprocess is called with norm=True for float models, norm=False for the others. A
    DebugConfig.txt in the working directory with dumpTensor in it makes a dump of every layer,
    sigma_outtensor_dump.bin, in the folder that its path= names: that of the last image.

    With --host and --port an offline model runs on a board, or on an ipudebug serve; --against-pc compares every output
    with the PC's and ends with exit code 1 where one differs.
    """
    from ipudebug.cli.simulations import SimulateOptions, run_simulation

    board_run = BoardOptions(**board)
    board_run.check()

    if labels is not None and category.lower() != "classification":
        raise click.UsageError("-l needs -c Classification")
    if draw_result is not None and category.lower() != "detection":
        raise click.UsageError("--draw_result needs -c Detection")
    if overwrite and continue_run:
        raise click.UsageError("--continue_run keeps the results that --overwrite would delete: give one of them")
    options = SimulateOptions(
        model,
        image,
        preprocess,
        soc_version,
        category,
        labels,
        input_config,
        num_process,
        dump_rawdata,
        skip_garbage,
        draw_result,
        continue_run,
        overwrite,
        board_run,
    )
    return 0 if run_simulation(options) else EXIT_MISSED
