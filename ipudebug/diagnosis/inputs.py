"""The model's inputs in a verdict: a dump with the inputs that it lacks, and what to say where nobody has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ipudebug.comparison import LayerResult
from ipudebug.dumps import DumpReader
from ipudebug.tensor import Layout, Tensor, TensorInfo

UNKNOWN_INPUT = (
    "the model's input was not compared, as at most one of the dumps holds it, and the trouble begins in the first"
    " layer that both have: the inputs may differ. Compare them with ipudebug diagnose --preprocess, or give the model"
    " and the image of both dumps (--float-model, -i, -n)"
)


class WithInputs:
    """A dump and, before its records, inputs that it does not hold; see DumpReader."""

    def __init__(self, dump: DumpReader, feed: Mapping[str, np.ndarray]) -> None:
        """Add those of ``feed`` (4-D ones NCHW) whose names the dump does not have."""
        known = {info.name for info in dump.infos}
        self._dump = dump
        self._added = [make_input(name, array) for name, array in feed.items() if name not in known]
        self.path = dump.path
        self.is_float = dump.is_float
        self.notes = dump.notes
        self.infos = (*(tensor.info for tensor in self._added), *dump.infos)

    def read(self, index: int) -> Tensor:
        """Return record ``index``."""
        return self._added[index] if index < len(self._added) else self._dump.read(index - len(self._added))


def make_input(name: str, array: np.ndarray) -> Tensor:
    """Return an array that a model is fed with as a dump has it: 4-D ones in NHWC."""
    layout = Layout.NHWC if array.ndim == 4 else None
    array = np.ascontiguousarray(array.transpose(0, 2, 3, 1) if array.ndim == 4 else array)
    return Tensor(TensorInfo(name, array.shape, array.dtype, layout=layout, role="in"), array)


def advise_on_input(
    rows: Sequence[LayerResult], first: int, parents: Mapping[int, Sequence[int]] | None
) -> tuple[str, ...]:
    """Return what to say of the input where it was not compared and the trouble begins in the first layer.

    Args:
        rows: the compared ones.
        first: place of the likeliest suspect.
        parents: row -> those that it is computed from; None where that is not known.
    """
    if any("in" in (row.sample.info.role, row.benchmark.info.role) for row in rows):
        return ()
    is_first = first == 0 or (parents is not None and first not in parents)
    return (UNKNOWN_INPUT,) if is_first else ()
