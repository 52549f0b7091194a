"""What simulate does once its options are known: images -> result files, and the dump that DebugConfig.txt asks for."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import click

from ipudebug import __version__
from ipudebug.cli.accuracy import load_labels, measure_accuracy, write_accuracy
from ipudebug.cli.backups import Backups
from ipudebug.cli.board_options import BoardOptions, open_remote, show_remote
from ipudebug.cli.debug_dump import CONFIG, find_debug_config, name_dump, note_switches
from ipudebug.cli.evaluation import Done, Evaluation
from ipudebug.cli.net_summary import describe_net
from ipudebug.cli.notes import show_note
from ipudebug.cli.progress import Progress
from ipudebug.cli.versions import list_versions
from ipudebug.filenames import FileNames
from ipudebug.results import make_folder, name_result
from ipudebug.sim.exactness import describe_inexact, list_inexact

if TYPE_CHECKING:
    from ipudebug.config.debug_config import DebugConfig
    from ipudebug.config.input_config import InputConfig
    from ipudebug.inputs.feeds import Feeds
    from ipudebug.manifest import FileMark
    from ipudebug.sim.model import SimModel

FOLDER = os.path.join("log", "output")


@dataclass(frozen=True, slots=True)
class SimulateOptions:
    """The options of simulate, as they are given."""

    model: str
    image: str
    preprocess: str
    soc_version: str | None = None
    category: str = "Unknown"
    labels: str | None = None
    input_config: str | None = None
    num_process: int = 1
    dump_rawdata: bool = False
    skip_garbage: bool = False
    draw_result: str | None = None
    continue_run: bool = False
    overwrite: bool = False
    board: BoardOptions = field(default_factory=BoardOptions)


def run_simulation(options: SimulateOptions) -> bool:
    """Run a model on every sample; all that can be checked is checked before anything is written.

    Returns False where a board was to be compared with the PC, and they differ.

    Paths and numbers go to stdout, remarks and progress to stderr.
    """
    model = _open_model(options)
    debug = find_debug_config(show_note)
    if debug.dump_tensor:
        _check_dump(model)
        note_switches(debug, model, show_note)
    mark = _mark_files(options, debug, model)
    notes: list[str] = []
    feeds = _load_feeds(options, model, notes)
    images = [sample[0] for sample in feeds.samples]
    labels = load_labels(options.labels, images) if options.labels else None
    evaluation = _plan(options, model, feeds, notes)
    remote = open_remote(options.board, model, evaluation.remarks.append) if options.board.is_remote else None
    evaluation.run_on(remote)
    if remote is not None and options.num_process > 1:
        notes.append("--num_process: a board is asked for one image after the other")
    feeds.fit(evaluation.simulator.inputs, evaluation.simulator.norm)  # the ini's names are held against the model
    shown: set[str] = set()
    _show_notes(Done((*notes, *evaluation.remarks)), shown)
    notes.clear()
    evaluation.remarks.clear()
    click.echo(f"Start to evaluate on {options.image}...")
    for line in describe_net(model):
        click.echo(line)
    if inexact := describe_inexact(model):
        show_note(inexact)
    stamp = time.strftime("%Y-%m-%d_%H-%M-%S")
    with Backups(stamp, overwrite=options.overwrite) as old, Backups(stamp, overwrite=options.overwrite) as old_dump:
        todo = _make_rooms(options, evaluation, old)
        dump = name_dump(debug) if debug.dump_tensor and todo else ""
        if dump:
            old_dump.make_room(dump)
        with Progress("images", len(todo)) as progress:
            processes = options.num_process if remote is None else 0
            for number, done in zip(todo, _evaluate(evaluation, todo, processes, dump, debug), strict=True):
                progress.clear()
                old.settle()
                _show_notes(done, shown)
                click.echo(f"{images[number]} -> {evaluation.results[number]}")
                progress.advance()
        old_dump.settle()
    if dump:
        _finish_dump(options, feeds, dump, _list_facts(options, debug, model), mark, todo)
    if labels is not None:
        _finish_accuracy(options, evaluation, labels)
    agrees = remote is None or show_remote(remote, [images[number] for number in todo])
    click.echo("Run evaluation OK.")
    click.echo(f"{len(todo)} image{'' if len(todo) == 1 else 's'} done, results in {FOLDER}")
    return agrees


def _open_model(options: SimulateOptions) -> SimModel:
    """Return the model, which is for the chip that was named."""
    from ipudebug.sim.loading import load_sim
    from ipudebug.sim.model import Stage
    from ipudebug.sim.soc_version import check_soc_version

    chip = check_soc_version(options.soc_version) if options.soc_version else ""
    model = load_sim(options.model)
    if chip and model.stage is Stage.OFFLINE:
        from ipudebug.sim.seal import check_chip

        check_chip(model, chip)
    elif chip and model.chip not in ("", chip):
        show_note(f"{options.model} was made for {model.chip}: simulated as that, whatever --soc_version says")
    return model


def _check_dump(model: SimModel) -> None:
    """Raise CannotDump for a model whose layers cannot be seen."""
    from ipudebug.sim.simulate import check_dump

    check_dump(model)


def _load_feeds(options: SimulateOptions, model: SimModel, notes: list[str]) -> Feeds:
    """Return the samples; without --input_config the ini that the model was made with says what it has to say."""
    from ipudebug.inputs.feeds import load_feeds

    config: str | InputConfig | None = options.input_config
    if config is None:
        from ipudebug.sim.read import read_input_config

        embedded = read_input_config(model)
        config = replace(embedded, notes=()) if embedded else None
    return load_feeds(options.image, options.preprocess, config, notes.append)


def _plan(options: SimulateOptions, model: SimModel, feeds: Feeds, notes: list[str]) -> Evaluation:
    """Return what is done with every sample, its files named."""
    category = options.category.lower()
    names, raw_names = FileNames(), FileNames()
    results = [
        os.path.join(FOLDER, names.claim(name_result(options.model, sample[0], category), ".txt"))
        for sample in feeds.samples
    ]
    raw = [
        [raw_names.claim(_name_raw(sample, place), ".bin") for place in range(len(sample))] for sample in feeds.samples
    ]
    evaluation = Evaluation(
        model,
        feeds,
        category,
        results,
        raw=raw if options.dump_rawdata else None,
        skip_garbage=options.skip_garbage,
        threads=_share_threads(options.num_process),
        notes=notes,
    )
    outputs = evaluation.simulator.outputs
    if category == "detection":
        from ipudebug.cli.detections import find_roles

        find_roles([(name, model.tensors[name].size) for name in outputs])
    if category == "classification" and len(outputs) > 1:
        show_note(f"the model has {len(outputs)} outputs: {outputs[0]} is taken for the scores")
    if options.draw_result is not None:
        from ipudebug.cli.detections import parse_drawing

        folder, evaluation.threshold = parse_drawing(options.draw_result)
        pictures = FileNames()
        evaluation.drawings = [
            os.path.join(folder, pictures.claim(os.path.splitext(os.path.basename(sample[0]))[0], ".png"))
            for sample in feeds.samples
        ]
    return evaluation


def _name_raw(sample: Sequence[str], place: int) -> str:
    """Return the name of the file with the bytes of one input, without its suffix."""
    name = os.path.basename(sample[0])
    return name if len(sample) == 1 else f"{name}_input{place}"


def _share_threads(processes: int) -> int | None:
    """Return how many threads each of several processes gets; None for a single one."""
    return None if processes == 1 else max(1, (os.cpu_count() or 1) // processes)


def _make_rooms(options: SimulateOptions, evaluation: Evaluation, old: Backups) -> list[int]:
    """Make room for what is going to be written, and return the numbers of the samples to run."""
    numbers = list(range(len(evaluation.results)))
    if options.continue_run:
        numbers = [number for number in numbers if not os.path.exists(evaluation.results[number])]
        if len(numbers) < len(evaluation.results):
            show_note(f"--continue_run: {len(evaluation.results) - len(numbers)} images have a result already")
    else:
        old.make_room(FOLDER)
    make_folder(FOLDER)
    raw = [path for number in numbers if evaluation.raw is not None for path in evaluation.raw[number]]
    drawings = [evaluation.drawings[number] for number in numbers if evaluation.drawings is not None]
    for folder in {os.path.dirname(path) for path in drawings} - {""}:
        make_folder(folder)
    for path in (*raw, *drawings):
        old.make_room(path)
    return numbers


def _evaluate(
    evaluation: Evaluation, todo: Sequence[int], processes: int, dump: str, debug: DebugConfig
) -> Iterator[Done]:
    """Yield what becomes of the samples, in order; the last one is dumped if any is, as in the vendor's simulator.

    One process prepares a sample while the model runs on the one before; several, and none at all, which stands for a
    board whose latency is measured, do one thing after the other.
    """
    from ipudebug.processes import overlap_work, share_work

    jobs = min(processes, os.cpu_count() or 1)
    if processes > 1 and sys.platform != "linux":
        show_note("--num_process: several processes need Linux; one does it all")
    shared = list(todo[:-1] if dump else todo)
    if jobs == 1 and shared:
        yield from overlap_work(evaluation.prepare, evaluation.finish, shared, evaluation.simulator.open)
    else:
        yield from share_work(lambda place: evaluation.evaluate(shared[place]), range(len(shared)), jobs)
    if dump:
        yield evaluation.dump(todo[-1], dump, debug)


def _mark_files(options: SimulateOptions, debug: DebugConfig, model: SimModel) -> Callable[[str], FileMark]:
    """Return what hashes the files of a run; where a dump will tell the hashes, a thread makes them meanwhile.

    Before several processes are forked no thread may run.
    """
    from ipudebug.manifest import mark_ahead, mark_file

    is_dumping = debug.dump_tensor and options.num_process == 1
    return mark_ahead(_list_facts(options, debug, model)) if is_dumping else mark_file


def _list_facts(options: SimulateOptions, debug: DebugConfig, model: SimModel) -> dict[str, Any]:
    """Return what the manifest of a dump says of the run."""
    return {
        "model": options.model,
        "preprocess": options.preprocess,
        "input_config": options.input_config,
        "dequantFixed": debug.dequant_fixed,
        "dumpasstring": debug.dump_as_string,
        "inexact": {name: ", ".join(types) for name, types in list_inexact(model).items()} or None,
    }


def _finish_dump(
    options: SimulateOptions,
    feeds: Feeds,
    dump: str,
    facts: Mapping[str, Any],
    mark: Callable[[str], FileMark],
    todo: Sequence[int],
) -> None:
    """Write the manifest of a dump, and say where it is."""
    from ipudebug.manifest import write_manifest

    sample = feeds.samples[todo[-1]]
    if len(todo) > 1:
        show_note(f"the dump is that of the last image, {sample[0]}")
    tool, versions = f"ipudebug {__version__}", list_versions("onnxruntime")
    write_manifest(dump, tool, versions, sample, facts, mark)
    click.echo(f"dump of {sample[0]}: {dump}, {os.path.getsize(dump):,} bytes (as {CONFIG} says)")


def _finish_accuracy(options: SimulateOptions, evaluation: Evaluation, labels: Sequence[int]) -> None:
    """Measure the accuracy over all results, those of an earlier run included, and write the log."""
    accuracy = measure_accuracy(evaluation.results, labels)
    path = os.path.join(FOLDER, f"{os.path.basename(options.model)}_{len(labels)}_acc.log")
    write_accuracy(path, len(labels), accuracy)
    shares = ", ".join(f"top{rank} {share:.2f}%" for rank, share in accuracy.items())
    click.echo(f"accuracy over {len(labels)} images: {shares} -> {path}")


def _show_notes(done: Done, shown: set[str]) -> None:
    """Print the remarks that were not printed before."""
    for note in done.notes:
        if note not in shown:
            shown.add(note)
            show_note(note)
