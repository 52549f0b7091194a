"""``ipudebug diagnose``: where two dumps part, what kind of fault it is, what to do."""

from __future__ import annotations

import os

import click

from ipudebug.cli.app import EXIT_MISSED, Command


@click.command(
    "diagnose",
    cls=Command,
    section="Compare",
    short_help="Name the layer, the kind of fault and the remedy.",
    examples=[
        "ipudebug diagnose fixed.bin float.bin",
        "ipudebug diagnose fixed.bin onnx.bin --float-model model.onnx -i cat.jpg -n preprocess.py",
        "ipudebug diagnose fixed.bin float.bin --format html -o verdict.html",
        "ipudebug diagnose board.bin fixed.bin --format json -o verdict.json",
        "ipudebug diagnose --preprocess board_input.npy float_input.npy",
        "ipudebug diagnose --preprocess board_input.npy cat.jpg",
    ],
)
@click.argument("sample", type=click.Path())
@click.argument("benchmark", type=click.Path())
@click.option("--preprocess", "inputs", is_flag=True, help="SAMPLE and BENCHMARK are model inputs: what differs?")
@click.option("--float-model", metavar="FILE", help="The benchmark's model: tells each layer's own share of the error.")
@click.option(
    "--fixed-model", metavar="FILE", help="The sample's fixed model: each layer alone, on the benchmark's inputs."
)
@click.option(
    "-i", "--image", metavar="PATH", help="The image of both dumps, where they do not hold the model's input."
)
@click.option("-n", "--script", metavar="FILE", help="Preprocess file for -i; one a model input, ',' between them.")
@click.option("--input_config", "--input-config", "input_config", metavar="INI", help="input_config.ini, for -n.")
@click.option(
    "--map", "map_file", metavar="FILE", help="Renamed tensors: 'sample-name benchmark-name', one pair a line."
)
@click.option(
    "--format", "form", type=click.Choice(["text", "html", "json", "markdown"]), default="text", show_default=True
)
@click.option("-o", "--output", default="-", metavar="FILE", help="Write the verdict to FILE instead of stdout ('-').")
@click.option("--check", is_flag=True, help="Exit 1 unless the verdict is clean.")
def command(
    sample: str,
    benchmark: str,
    inputs: bool,
    float_model: str | None,
    fixed_model: str | None,
    image: str | None,
    script: str | None,
    input_config: str | None,
    map_file: str | None,
    form: str,
    output: str,
    check: bool,
) -> int:
    """Name the layer where SAMPLE, the suspect dump, parts from BENCHMARK, the trusted: how, why, and what to do.

    With --float-model each layer is also computed by itself, which tells the error that it makes from the error that
    it is handed, and shares the error of the final output out over the layers. With --preprocess the two are not dumps
    but model inputs: an .npy file, NAME@DUMP for the tensor NAME of a dump, or an image. See docs/diagnose.md.

    Exit code: 0 done, 1 --check and the verdict is not clean, 2 trouble.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as compare does: before numpy loads
    from ipudebug.cli.gate import warn_of_conflicts
    from ipudebug.cli.output import write_output
    from ipudebug.cli.verdict_forms import draw_input_difference, draw_verdict

    if (image is None) != (script is None):
        raise click.UsageError("-i and -n go together")
    if inputs:
        from ipudebug.diagnosis.preprocessing import compare_inputs, load_input

        difference = compare_inputs(load_input(sample), load_input(benchmark))
        write_output(output, draw_input_difference(difference, form), keep=(sample, benchmark))
        return EXIT_MISSED if check and not difference.is_clean else 0
    if (fixed_model or image) and not float_model:
        raise click.UsageError("--fixed-model, -i and -n need --float-model")
    from ipudebug.cli.verdict_models import diagnose_files

    metrics = ("sqnr",) if form == "html" else ()  # which the page draws
    verdict = diagnose_files(
        sample, benchmark, map_file, float_model, fixed_model, image, script, input_config, metrics
    )
    warn_of_conflicts(verdict.comparison)
    write_output(output, draw_verdict(verdict, form), keep=(sample, benchmark))
    return EXIT_MISSED if check and not verdict.is_clean else 0
