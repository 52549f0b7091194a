"""What ``ipudebug calibrate`` does: everything that can be checked is checked before an image is preprocessed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import click

from ipudebug.cli.debug_dump import find_debug_config
from ipudebug.cli.notes import show_note


@dataclass(frozen=True, slots=True)
class CalibrateOptions:
    """The command line, as ``ipudebug calibrate --help`` explains it."""

    image: str
    model: str
    input_config: str
    preprocess: str
    soc_version: str | None
    output: str | None
    quant_level: str
    method: str | None
    quant_file: str | None
    compensate: bool | None
    num_process: int | None


def run_calibration(options: CalibrateOptions) -> None:
    """Write the fixed model and say where it is; remarks and progress go to stderr."""
    from ipudebug.cli.progress import Progress
    from ipudebug.config.ini import read_text_lines
    from ipudebug.config.input_config import load_input_config
    from ipudebug.inputs.feeds import Feeds
    from ipudebug.inputs.images import find_samples
    from ipudebug.inputs.preprocess import load_preprocess
    from ipudebug.sim.calibrate import calibrate_model, make_choice, name_output
    from ipudebug.sim.container import open_sim
    from ipudebug.sim.fixed_file import save_fixed
    from ipudebug.sim.loading import load_sim
    from ipudebug.sim.model import Stage
    from ipudebug.sim.quant_param import note_strangers, read_quant_file
    from ipudebug.sim.soc_version import check_soc_version
    from ipudebug.sim.stage import SimFacts

    if options.soc_version is not None:
        check_soc_version(options.soc_version)
    open_sim(options.model, Stage.FLOAT)
    config = load_input_config(options.input_config)
    choice = make_choice(
        options.quant_level,
        options.method,
        conv_format=config.conv_format,
        fuse=not find_debug_config(show_note).disable_domain_fuse_ops,
        workers=options.num_process or os.cpu_count() or 1,
        given=read_quant_file(options.quant_file) if options.quant_file else {},
        compensate=options.compensate,
    )
    functions = load_preprocess(options.preprocess)
    feeds = Feeds(find_samples(options.image, len(functions)), functions, config, show_note)
    target = options.output or name_output(options.model)
    files = [options.model, options.input_config, *([options.quant_file] if options.quant_file else ())]
    files += [function.path for function in functions]
    _check_target(target, [*files, *(path for sample in feeds.samples for path in sample)])
    source = load_sim(options.model)
    config.check_outputs([output.name for output in source.structure.outputs])
    ini = "\n".join(read_text_lines(options.input_config, "input config"))
    facts = SimFacts(Stage.FIXED, options.soc_version or source.chip, ini)
    with Progress("images", len(feeds.samples)) as progress:
        done = calibrate_model(source, feeds, functions, config, facts, choice, progress.advance)
    for text in note_strangers(choice.given, source, done.model, options.quant_file) if options.quant_file else ():
        show_note(text)
    existed = os.path.exists(target)
    save_fixed(done.model, target)
    if existed:
        show_note(f"{target} existed and was replaced")
    inexact = ", ".join(sorted(set(done.inexact)))
    rounding = "compensated" if choice.compensate else "weights to the nearest"
    images = "1 image" if len(feeds.samples) == 1 else f"{len(feeds.samples)} images"
    summary = f"{done.operators} operators, {images}, {choice.method}, {rounding}"
    click.echo(f"{options.model}: {summary}" + (f"; not to the chip's bit: {inexact}" if inexact else ""))
    click.echo(f"Fixed model at: {target}")


def _check_target(target: str, sources: Sequence[str]) -> None:
    """Raise OutputError if the fixed model would take the place of something that it is made from."""
    from ipudebug.errors import OutputError

    for source in sources if os.path.exists(target) else ():
        if os.path.samefile(target, source):
            raise OutputError(f"-o {target} would overwrite an input", "give another name")
