"""Facts and constants of the tensors that a dump of one of our models shows (docs/simulation.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ipudebug.errors import ModelError
from ipudebug.runners.weights import find_dtype, read_weight
from ipudebug.sim.model import Operation
from ipudebug.tensor import Layout, QuantParams, TensorInfo

if TYPE_CHECKING:
    from ipudebug.files import OpenFile
    from ipudebug.runners.graph import Graph, Value, Weight
    from ipudebug.runners.model_file import MemoryFile

SCALE, ZERO_POINT, AXIS = "SCALE_TENSOR", "ZERO_POINT_TENSOR", "AXIS"
"""Keys of ``graph.quantization_annotation``."""


def list_tensors(
    graph: Graph, file: OpenFile | MemoryFile, operations: Iterable[Operation], others: Iterable[str] = ()
) -> dict[str, TensorInfo]:
    """Return the facts of every tensor that the operations show, of the graph's inputs and outputs, and of ``others``.

    Activations of four dimensions are NHWC. Raises ModelError for one without a type or a fixed shape.
    """
    values = {**graph.values, **{value.name: value for value in graph.inputs}}
    quants = read_quantisation(graph, file)
    names = [name for operation in operations for name in (*operation.inputs, *operation.outputs)]
    names += [value.name for value in (*graph.inputs, *graph.outputs)]
    names += others
    infos = {}
    for name in dict.fromkeys(names):
        weight = graph.weights.get(name)
        dtype = find_dtype(weight.element) if weight is not None else None
        if weight is not None and dtype is not None and not weight.sparse:
            infos[name] = TensorInfo(name, weight.shape, dtype, quants.get(name), constant=True)
        else:
            infos[name] = _describe_value(name, values.get(name), quants.get(name), file.path)
    return infos


def _describe_value(name: str, value: Value | None, quant: QuantParams | None, path: str) -> TensorInfo:
    """Return the facts of an activation; raises ModelError."""
    shape = value.shape if value is not None else None
    dtype = find_dtype(value.element) if value is not None else None
    if shape is None or dtype is None or min(shape, default=0) < 0:
        hint = "make it again from the original model with this version of ipudebug"
        raise ModelError(f"{path}: tensor {name}: expected a fixed shape, the model states none", hint)
    layout = None
    if len(shape) == 4:
        shape, layout = (shape[0], *shape[2:], shape[1]), Layout.NHWC
    return TensorInfo(name, shape, dtype, quant, layout)


def read_quantisation(graph: Graph, file: OpenFile | MemoryFile) -> dict[str, QuantParams]:
    """Return scale and zero point of the tensors that the graph annotates."""
    found = {}
    for name, entries in graph.annotations.items():
        parts = [graph.weights.get(entries.get(key, "")) for key in (SCALE, ZERO_POINT)]
        scale, zero = (read_weight(file, part).reshape(-1) if part is not None else None for part in parts)
        if scale is not None and zero is not None:
            axis = int(entries[AXIS]) if AXIS in entries else None
            found[name] = QuantParams(tuple(map(float, scale)), tuple(map(int, zero)), axis)
    return found


class Constants(Mapping[str, np.ndarray]):
    """The data of the constants that a dump shows; each is read where it is asked for."""

    def __init__(self, graph: Graph, file: OpenFile | MemoryFile, infos: Mapping[str, TensorInfo]) -> None:
        """Read nothing."""
        self._file = file
        self._weights: dict[str, Weight] = {name: graph.weights[name] for name, info in infos.items() if info.constant}

    def __getitem__(self, name: str) -> np.ndarray:
        """Return the elements of a constant, not to be written to; raises ModelError."""
        return read_weight(self._file, self._weights[name])

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self._weights)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._weights)
