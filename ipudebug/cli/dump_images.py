"""What every dump-* command does once it knows its model: image -> dump of every layer."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from ipudebug import __version__
from ipudebug.cli.progress import Progress
from ipudebug.cli.versions import list_versions
from ipudebug.manifest import mark_ahead, write_manifest

if TYPE_CHECKING:
    from ipudebug.dumps import DialectName
    from ipudebug.inputs.feeds import Feeds
    from ipudebug.runners import Feed, Runner
    from ipudebug.tensor import Layout, Tensor, TensorInfo

_PACKAGES = {"caffe": "opencv-python-headless", "tflite": "ai-edge-litert"}
"""Framework -> what computes its tensors, for the manifest."""


def dump_first_image(
    open_runner: Callable[[], Runner],
    framework: str,
    feeds: Feeds,
    output: str,
    *,
    binary: bool,
    layout: Layout,
    facts: dict[str, Any],
    dialect: DialectName = "framework",
    raw: bool = False,
) -> list[TensorInfo]:
    """Run a model on the first sample and write every layer's output into a folder, as the vendor's scripts do.

    Returns what was written.

    Args:
        open_runner: opens the model; called when all that can be checked without it has been.
        framework: first part of the dump's name: ``onnx``, ``caffe``, ``tflite``.
        feeds: the samples.
        output: folder for the dump; made if it is not there.
        binary: one binary dump; otherwise a text file, and a file a tensor in the folders NHWC and NCHW.
        layout: of the model's own 4-D inputs.
        facts: what the manifest beside the dump says of how it was made; see ``manifest.FILES`` for the paths in it.
        dialect: of a binary dump; ``tflite`` has no ``NHWC`` in its name, as nothing was transposed.
        raw: write integers as they are.
    """
    from ipudebug.dumps.writer import DIALECTS, write_blocks
    from ipudebug.results import make_folder

    mark = mark_ahead(facts)
    runner = open_runner()
    sample, feed = next(feeds.fit(runner.inputs))
    if len(feeds.samples) > 1:
        feeds.note(f"only the first of {len(feeds.samples)} samples is dumped: {', '.join(sample)}")
    make_folder(output)
    name = f"{framework}_outtensor_dump.bin" if dialect == "tflite" else f"{framework}_NHWC_outtensor_dump.bin"
    path = os.path.join(output, name if binary else f"{framework}_NHWC_outtensor_dump.txt")
    if os.path.exists(path):
        feeds.note(f"{path} of an earlier run is replaced")
    with Progress("tensors") as progress:
        tensors = progress.track(runner.trace(feed))
        if binary:
            written = write_blocks(path, tensors, DIALECTS[dialect], is_float=not raw)
        else:
            from ipudebug.dumps.folder import write_folder

            written = write_folder(output, framework, _fed(feed, layout), tensors)
    for text in (*getattr(runner, "notes", ()), *(f"not dumped: {text}" for text in getattr(runner, "skipped", ()))):
        feeds.note(text)
    write_manifest(
        path,
        f"ipudebug {__version__}",
        list_versions(_PACKAGES.get(framework, "onnxruntime")),
        sample,
        facts,
        mark,
    )
    click.echo(f"{path}: {len(written)} tensors, {os.path.getsize(path):,} bytes")
    return written


def _fed(feed: Feed, layout: Layout) -> Iterator[Tensor]:
    """Yield what the model is fed with as tensors."""
    from ipudebug.tensor import Tensor, TensorInfo

    for name, array in feed.items():
        yield Tensor(TensorInfo(name, array.shape, array.dtype, layout=layout if array.ndim == 4 else None), array)
