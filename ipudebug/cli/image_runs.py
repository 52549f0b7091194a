"""What every run-* command does once it knows its model: images -> result files."""

from __future__ import annotations

import os
from collections.abc import Callable

import click

from ipudebug.cli.progress import Progress
from ipudebug.filenames import FileNames
from ipudebug.inputs.feeds import load_feeds
from ipudebug.results import make_folder, name_result, write_result
from ipudebug.runners import Runner


def run_images(
    open_runner: Callable[[], Runner], model: str, image: str, preprocess: str, input_config: str | None, output: str
) -> None:
    """Run a model on every sample and write one result file for each into the folder ``output``.

    Everything that can be checked without the model is checked before ``open_runner`` is called; ``model`` names the
    results. One line per sample and a closing line go to stdout, remarks and progress to stderr.
    """
    feeds = load_feeds(image, preprocess, input_config, _note)
    runner = open_runner()
    drawn = feeds.fit(runner.inputs)
    make_folder(output)
    names = FileNames()
    count, replaced = len(feeds.samples), 0
    with Progress("images", count) as progress:
        for sample, feed in drawn:
            tensors = runner.run(feed)
            path = os.path.join(output, names.claim(name_result(model, sample[0]), ".txt"))
            replaced += os.path.exists(path)
            write_result(path, tensors)
            progress.clear()
            click.echo(f"{sample[0]} -> {path}")
            progress.advance()
    if replaced:
        _note(f"{_count(replaced, 'result')} of an earlier run replaced in {output}")
    click.echo(f"{_count(count, 'image')} done, results in {output}")


def _note(text: str) -> None:
    """Print a remark to stderr."""
    click.echo(f"note: {text}", err=True)


def _count(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 image``, ``2 images``."""
    return f"{number} {noun}" + ("" if number == 1 else "s")
