"""Operators that move elements: Reshape and its kin, Transpose, Slice, Pad, Tile, Concat, Split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.sim.lowering import Family, Role, Rule
from ipudebug.sim.lowering.fixed_graph import FixedGraph
from ipudebug.sim.network import FloatNetwork, FloatNode


def classify_copy(node: FloatNode, network: FloatNetwork) -> Role | None:
    """Return COPY where the first input is an activation."""
    return Role.COPY if network.is_activation(node.inputs[0]) and network.shape(node.outputs[0]) else None


def lower_reshape(node: FloatNode, graph: FixedGraph) -> None:
    """Append RESHAPE."""
    shape = list(graph.network.shape(node.outputs[0]))
    graph.add_copy("RESHAPE", node, node.inputs[0], node.outputs[:1], shape=shape)


def lower_transpose(node: FloatNode, graph: FixedGraph) -> None:
    """Append TRANSPOSE."""
    rank = len(graph.network.shape(node.inputs[0]))
    perm = list(node.attributes.get("perm", range(rank)[::-1]))
    graph.add_copy("TRANSPOSE", node, node.inputs[0], node.outputs[:1], perm=perm)


def read_integers(node: FloatNode, network: FloatNetwork, name: str, place: int) -> list[int] | None:
    """Return integers that a node has as an attribute or as a constant input; None where it has neither."""
    if name in node.attributes:
        return list(node.attributes[name])
    values = network.constant(node.inputs[place]) if len(node.inputs) > place and node.inputs[place] else None
    return None if values is None else [int(value) for value in values.reshape(-1)]


def _is_computed(node: FloatNode, network: FloatNetwork, places: Sequence[int]) -> bool:
    """Return whether one of the inputs at these places is there, but no constant."""
    return any(
        node.inputs[place] and network.constant(node.inputs[place]) is None
        for place in places
        if place < len(node.inputs)
    )


def classify_dropout(node: FloatNode, network: FloatNetwork) -> Role | None:
    """Return COPY for a Dropout that drops nothing and whose mask is not used."""
    training = network.constant(node.inputs[2]) if len(node.inputs) > 2 and node.inputs[2] else np.zeros(1)
    is_idle = network.opset >= 7 and training is not None and not np.any(training)
    return classify_copy(node, network) if is_idle and len(list(filter(None, node.outputs))) == 1 else None


def classify_slice(node: FloatNode, network: FloatNetwork) -> Role | None:
    """Return COPY for a Slice at fixed places, of positive steps."""
    if _is_computed(node, network, range(1, 5)) or min(read_integers(node, network, "steps", 4) or [1]) < 1:
        return None
    return classify_copy(node, network)


def lower_slice(node: FloatNode, graph: FixedGraph) -> None:
    """Append SLICE, its places counted from the front."""
    network = graph.network
    shape = network.shape(node.inputs[0])
    starts, ends = (read_integers(node, network, name, place) or [] for place, name in ((1, "starts"), (2, "ends")))
    axes = read_integers(node, network, "axes", 3) or list(range(len(starts)))
    steps = read_integers(node, network, "steps", 4) or [1] * len(starts)
    places = [slice(start, end).indices(shape[axis])[:2] for start, end, axis in zip(starts, ends, axes, strict=True)]
    graph.add_copy(
        "SLICE", node, node.inputs[0], node.outputs[:1], starts=[start for start, _ in places],
        ends=[end for _, end in places], axes=[axis % len(shape) for axis in axes], steps=steps,
    )  # fmt: skip


def find_pads(node: FloatNode, network: FloatNetwork) -> tuple[list[int], float] | None:
    """Return the pads of all axes and the value of a Pad with a constant frame; None for any other."""
    if node.text("mode", "constant") != "constant" or _is_computed(node, network, range(1, 4)):
        return None
    rank = len(network.shape(node.inputs[0]))
    given = read_integers(node, network, "pads", 1)
    axes = read_integers(node, network, "axes", 3) or list(range(rank))
    if given is None or min(given) < 0:
        return None
    pads = [0] * (2 * rank)
    for place, axis in enumerate(axes):
        pads[axis % rank], pads[axis % rank + rank] = given[place], given[place + len(axes)]
    values = network.constant(node.inputs[2]) if len(node.inputs) > 2 and node.inputs[2] else None
    value = node.attributes.get("value", 0.0) if values is None else float(values.reshape(-1)[0])
    return (pads, value) if np.isfinite(value) else None


def classify_pad(node: FloatNode, network: FloatNetwork) -> Role | None:
    """Return COPY for a Pad with a constant frame."""
    return classify_copy(node, network) if find_pads(node, network) else None


def lower_pad(node: FloatNode, graph: FixedGraph) -> None:
    """Append PAD."""
    found = find_pads(node, graph.network)
    assert found is not None
    value = int(graph.quants[node.outputs[0]].quantise(found[1]))
    graph.add_copy("PAD", node, node.inputs[0], node.outputs[:1], pads=found[0], value=value)


def classify_tile(node: FloatNode, network: FloatNetwork) -> Role | None:
    """Return COPY for a Tile with fixed repeats."""
    repeats = network.constant(node.inputs[1])
    return classify_copy(node, network) if repeats is not None and np.all(repeats > 0) else None


def lower_tile(node: FloatNode, graph: FixedGraph) -> None:
    """Append TILE."""
    repeats = graph.network.constant(node.inputs[1])
    assert repeats is not None
    graph.add_copy("TILE", node, node.inputs[0], node.outputs[:1], repeats=repeats.tolist())


def classify_concat(node: FloatNode, network: FloatNetwork) -> Role | None:
    """Return COPY for a Concat of activations and constants."""
    is_known = all(network.is_activation(name) or network.constant(name) is not None for name in node.inputs)
    return Role.COPY if is_known and any(map(network.is_activation, node.inputs)) else None


def lower_concat(node: FloatNode, graph: FixedGraph) -> None:
    """Append CONCATENATION; constants among its inputs are stored as the output is."""
    quant = graph.quants[node.outputs[0]]
    names = []
    for name in node.inputs:
        values = graph.network.constant(name)
        if values is None:
            names.append(graph.bring(name, quant, node))
        else:
            names.append(graph.add_constant(graph.name_constant(name), quant.quantise(values), quant.params))
    graph.add("CONCATENATION", node, names, node.outputs[:1], axis=node.attributes["axis"])


def lower_split(node: FloatNode, graph: FixedGraph) -> None:
    """Append SPLIT_V."""
    rank = len(graph.network.shape(node.inputs[0]))
    axis = node.attributes.get("axis", 0) % rank
    sizes = [graph.network.shape(name)[axis] for name in node.outputs]
    graph.add_copy("SPLIT_V", node, node.inputs[0], node.outputs, axis=axis, split=sizes)


def classify_split(node: FloatNode, network: FloatNetwork) -> Role | None:
    """Return COPY for a Split all of whose parts are used."""
    return classify_copy(node, network) if all(node.outputs) else None


_RESHAPE = Rule(classify_copy, lower_reshape)
FAMILY: Family = {
    **dict.fromkeys(("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"), _RESHAPE),
    "Dropout": Rule(classify_dropout, lower_reshape),
    "Transpose": Rule(classify_copy, lower_transpose),
    "Slice": Rule(classify_slice, lower_slice),
    "Pad": Rule(classify_pad, lower_pad),
    "Tile": Rule(classify_tile, lower_tile),
    "Concat": Rule(classify_concat, lower_concat),
    "Split": Rule(classify_split, lower_split),
}
