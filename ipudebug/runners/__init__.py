"""Runners: a model and a feed -> its tensors, in execution order, one at a time.

A runner is one module here that exports ``RUNNER``, a callable ``RUNNER(files: ModelFiles, ...) -> Runner``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ipudebug.registry import Registry

if TYPE_CHECKING:
    import numpy as np

    from ipudebug.tensor import Tensor, TensorInfo

Feed = Mapping[str, "np.ndarray"]
"""Model input name -> array, already in the dtype and shape that the model takes."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The file, or files, that hold one model: ``model``, and ``weights`` where the format keeps them apart."""

    model: str
    weights: str | None = None


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


RUNNERS: Registry[Callable[..., Runner]] = Registry(
    __name__,
    "RUNNER",
    "runner",
    besides=("caffe_graph", "caffe_weights", "caffe_weights_check", "feed_check", "litert", "prototext"),
)
