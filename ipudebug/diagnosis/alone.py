"""Each layer of a fixed model alone, fed with the benchmark's own inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ipudebug.diagnosis.blame import Lookup
from ipudebug.diagnosis.nodes import NodeGraph
from ipudebug.errors import ModelError
from ipudebug.sim.feeding import fill_buffers, list_ports, read_buffers
from ipudebug.sim.loading import load_sim
from ipudebug.sim.real_tensor import to_real

if TYPE_CHECKING:
    from ipudebug.inputs.feeds import Feeds
    from ipudebug.sim.model import SimModel
    from ipudebug.tensor import QuantParams


def measure_fixed_layers(path: str, benchmark: Lookup, feeds: Feeds | None) -> tuple[dict[str, float], list[str]]:
    """Return the relative error that each layer of a fixed model makes by itself, and notes.

    Every tensor that the benchmark has is quantised with the fixed model's parameters before the next layer reads it:
    nothing accumulates. Layers between two such tensors (fused operators) count together.

    Args:
        path: the fixed model.
        benchmark: the trusted dump, 4-D tensors in NHWC.
        feeds: the image; without it what reads the model's input is left out, unless the benchmark holds it.

    Raises ModelError for a file that is no fixed model.
    """
    model = load_sim(path)
    if not model.stage.is_integer:
        raise ModelError(f"--fixed-model {path} is a {model.stage.value} model", "give the fixed model of the sample")
    graph = NodeGraph(model.graph)
    values = _feed(model, graph, benchmark, feeds)
    notes = [f"{name}: its input is not known: give -i and -n" for name in graph.inputs if name not in values]
    errors: dict[str, float] = {}
    for step in graph.steps:
        if any(name not in values for name in step.reads):
            arrays: list[np.ndarray | None] = [None] * len(step.makes)
        else:
            arrays = list(step.compute(values))
        for name, made in zip(step.makes, arrays, strict=True):
            right, info = benchmark(name), model.tensors.get(name)
            quant = info.quant if info else None
            if made is not None:
                values[name] = made
                if right is not None and right.size == made.size and (quant or made.dtype.kind == "f"):
                    errors[name] = _relative_error(to_real(_to_dump(made), quant), right)
            if right is not None and info is not None and quant and right.size == info.size:
                shape = made.shape if made is not None else _graph_shape(info.shape)
                values[name] = _quantise(_to_graph(right, shape), quant, info.dtype)
    return errors, notes


def _feed(model: SimModel, graph: NodeGraph, benchmark: Lookup, feeds: Feeds | None) -> dict[str, np.ndarray]:
    """Return what is known of the model's inputs, as its graph takes them."""
    ports = list_ports(model)
    if feeds is not None:
        arrays = next(feeds.fit([port.expected for port in ports], norm=False))[1]
        return dict(read_buffers(ports, fill_buffers(ports, arrays)))
    found = {}
    for port in ports:
        info, right = port.graph, benchmark(port.graph.name)
        if right is not None and info.quant and right.size == info.size:
            found[info.name] = _quantise(_to_graph(right, info.shape), info.quant, info.dtype)
    return {name: array for name, array in found.items() if name in graph.inputs}


def _quantise(array: np.ndarray, quant: QuantParams, dtype: np.dtype) -> np.ndarray:
    """Return reals as integers (SPEC 11.1)."""
    limits = np.iinfo(dtype)
    scaled = np.floor(array.astype(np.float64) / quant.scale[0] + 0.5) + quant.zero_point[0]
    return np.asarray(np.clip(scaled, limits.min, limits.max), dtype)


def _graph_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a dump's shape as the graph has it."""
    return (shape[0], shape[3], shape[1], shape[2]) if len(shape) == 4 else shape


def _to_graph(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return a tensor of a dump in the graph's shape; 4-D ones are NHWC in a dump."""
    if len(shape) == 4:
        n, c, h, w = shape
        return np.ascontiguousarray(array.reshape(n, h, w, c).transpose(0, 3, 1, 2))
    reshaped: np.ndarray = array.reshape(shape)
    return reshaped


def _to_dump(array: np.ndarray) -> np.ndarray:
    """Return a tensor of the graph as a dump has it."""
    return array.transpose(0, 2, 3, 1) if array.ndim == 4 else array


def _relative_error(array: np.ndarray, right: np.ndarray) -> float:
    """Return the root of error energy over signal energy."""
    exact = right.reshape(-1).astype(np.float64)
    wrong = np.ascontiguousarray(array).reshape(-1).astype(np.float64) - exact
    signal = float(exact @ exact)
    return float(np.sqrt(wrong @ wrong / signal)) if signal else 0.0
