"""Runners: a model and a feed -> its tensors, in execution order, one at a time.

A runner is one module here that exports ``RUNNER``, a callable ``RUNNER(files: ModelFiles, ...) -> Runner``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, overload

from ipudebug.registry import Registry

if TYPE_CHECKING:
    import numpy as np

    from ipudebug.files import OpenFile
    from ipudebug.runners.graph import Graph
    from ipudebug.runners.model_file import MemoryFile
    from ipudebug.tensor import Tensor, TensorInfo

Feed = Mapping[str, "np.ndarray"]
"""Model input name -> array, already in the dtype and shape that the model takes."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The file, or files, that hold one model: ``model``, and ``weights`` where the format keeps them apart.

    ``data`` is an ONNX model that is in memory, all its weights included; ``model`` is then what messages call it.
    ``graph`` is the ONNX model taken apart, where that is done already.
    """

    model: str
    weights: str | None = None
    data: bytes | None = None
    graph: Graph | None = None

    def open(self) -> OpenFile | MemoryFile:
        """Return the file with an ONNX model, or the model in memory, to read from; raises ModelError."""
        from ipudebug.errors import ModelError
        from ipudebug.files import OpenFile
        from ipudebug.runners.model_file import MemoryFile

        if self.data is None:
            return OpenFile(self.model, "the model", ModelError)
        return MemoryFile(self.model, self.data)


class Runner(Protocol):
    """A model that is ready to run."""

    @property
    def inputs(self) -> tuple[TensorInfo, ...]:
        """What the model wants to be fed with; a dimension that is not fixed is -1."""
        ...

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the model's final outputs, in the model's order."""
        ...

    def run(self, feed: Feed) -> list[Tensor]:
        """Return the model's final outputs, in the model's order, in the model's own layout."""
        ...

    def trace(self, feed: Feed) -> Iterator[Tensor]:
        """Yield every operator's outputs in execution order, as soon as each exists; the array is the caller's.

        A 4-D tensor comes in NHWC order (``layout`` NHWC), anything else as the model made it.
        """
        ...


_ONNX = ("convert", "elements", "graph", "model_file", "onnx_parser", "protobuf", "segments", "session", "weights")
_CAFFE = ("caffe_graph", "caffe_weights", "caffe_weights_check", "prototext")
_TFLITE = ("litert",)

RUNNERS: Registry[Callable[..., Runner]] = Registry(
    __name__, "RUNNER", "runner", besides=(*_ONNX, *_CAFFE, *_TFLITE, "feed_check")
)


@overload
def run(model: str, feed: Feed, *, every_layer: Literal[False] = False, optimize: bool = False) -> list[Tensor]: ...


@overload
def run(model: str, feed: Feed, *, every_layer: Literal[True], optimize: bool = False) -> Iterator[Tensor]: ...


def run(
    model: str, feed: Feed, *, every_layer: bool = False, optimize: bool = False
) -> list[Tensor] | Iterator[Tensor]:
    """Return the final outputs of an ONNX model or, with ``every_layer``, an iterator over what each node makes.

    Final outputs have the model's own layout; of every layer 4-D tensors come in NHWC order. Each is computed when it
    is drawn, and only what later nodes read is held.

    Args:
        model: path of the ``.onnx`` file.
        feed: an array for each input, in its dtype and shape.
        every_layer: all tensors in execution order instead of the final ones.
        optimize: onnxruntime's graph optimisations all on instead of all off.

    Raises ModelError for the model and InputError for the feed.
    """
    runner = RUNNERS["onnx"](ModelFiles(model), optimize=optimize)
    return runner.trace(feed) if every_layer else runner.run(feed)
