"""Add, Sub, Mul and Div of two tensors, or of a tensor and a constant; Neg; Max of two tensors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ipudebug.sim.kernels.multiplier import normalise
from ipudebug.sim.lowering import Family, Role, Rule
from ipudebug.sim.lowering.fixed_graph import FixedGraph, describe_output
from ipudebug.sim.network import FloatNetwork, FloatNode
from ipudebug.sim.quantisation import TensorQuant

LARGEST_CONSTANT = (1 << 30) - 1
"""Of an ADD_CONSTANT."""


def classify_pair(node: FloatNode, network: FloatNetwork) -> Role | None:
    """Return OTHER where there are two operands, both activations, or one of them a float32 constant."""
    if len(node.inputs) != 2:
        return None
    constants = [network.constant(name) for name in node.inputs]
    activations = [network.is_activation(name) for name in node.inputs]
    is_known = all(
        activation or (constant is not None and constant.dtype == np.float32 and constant.size > 0)
        for activation, constant in zip(activations, constants, strict=True)
    )
    return Role.OTHER if is_known and any(activations) else None


def classify_division(node: FloatNode, network: FloatNetwork) -> Role | None:
    """Return OTHER for a division by a constant without zeros that does not enlarge the tensor."""
    divisor = network.constant(node.inputs[1])
    if divisor is None or not classify_pair(node, network) or not np.all(divisor):
        return None
    return Role.OTHER if fit_constant(divisor, node.inputs[0], node, network) is not None else None


def fit_constant(values: np.ndarray, operand: str, node: FloatNode, network: FloatNetwork) -> np.ndarray | None:
    """Return a constant in the rank of the other operand, a single value as [1]; None if the output is larger."""
    shape = network.shape(operand)
    if network.shape(node.outputs[0]) != shape or values.ndim > len(shape):
        return None
    return values.reshape(1) if values.size == 1 else values.reshape([1] * (len(shape) - values.ndim) + [*values.shape])


def find_ratio(*scales: np.float32, over: np.float32) -> float:
    """Return the product of scales over another, in float32 as the vendor's calibrator computes it."""
    return float(np.prod(np.array(scales, np.float32), dtype=np.float32) / over)


def _take_operands(node: FloatNode, graph: FixedGraph) -> tuple[list[str], list[TensorQuant]]:
    """Return names and quantisation of both operands, constants as INT16 tensors."""
    names, quants = [], []
    for name in node.inputs:
        if graph.network.constant(name) is None:
            quant = graph.quants[name]
        else:
            name, quant = graph.add_stored(name)
        names.append(name)
        quants.append(quant)
    return names, quants


def lower_sum(node: FloatNode, graph: FixedGraph) -> None:
    """Append ADD or SUB of two tensors, or ADD_CONSTANT."""
    subtracts = node.op == "Sub"
    y = graph.quants[node.outputs[0]]
    for place, name in enumerate(node.inputs):
        values = graph.network.constant(name)
        if values is None or (subtracts and place == 0):
            continue
        other = node.inputs[1 - place]
        fitted = fit_constant(-values if subtracts else values, other, node, graph.network)
        if fitted is not None:
            _add_offset(node, graph, other, name, fitted)
            return
    names, quants = _take_operands(node, graph)
    multipliers, shift = normalise([find_ratio(quant.scale, over=y.scale) for quant in quants])
    graph.add(
        "SUB" if subtracts else "ADD", node, names, node.outputs[:1], zeros=[quant.zero for quant in quants],
        multipliers=multipliers.tolist(), shift=shift, **describe_output(y),
    )  # fmt: skip


def _add_offset(node: FloatNode, graph: FixedGraph, source: str, name: str, values: np.ndarray) -> None:
    """Append ADD_CONSTANT."""
    x, y = graph.quants[source], graph.quants[node.outputs[0]]
    steps = np.floor(values.astype(np.float64) * 2 / float(y.scale) + 0.5)
    stored = np.clip(steps, -LARGEST_CONSTANT, LARGEST_CONSTANT).astype(np.int32)
    multipliers, shift = normalise([find_ratio(x.scale, over=y.scale)])
    constant = graph.add_constant(graph.name_constant(name), stored)
    graph.add(
        "ADD_CONSTANT", node, [source, constant], node.outputs[:1], zeros=[x.zero],
        multipliers=multipliers.tolist(), shift=shift, layout="NCHW", **describe_output(y),
    )  # fmt: skip


def lower_product(node: FloatNode, graph: FixedGraph) -> None:
    """Append MUL_CONSTANT, or MUL of two INT16 tensors: of bytes its first shift would leave nothing."""
    for place, name in enumerate(node.inputs):
        values = graph.network.constant(name)
        fitted = values is not None and fit_constant(values, node.inputs[1 - place], node, graph.network)
        if isinstance(fitted, np.ndarray):
            graph.add_rescaling(node, node.inputs[1 - place], node.outputs[0], fitted, name=graph.name_constant(name))
            return
    y = graph.quants[node.outputs[0]]
    names, quants = _take_operands(node, graph)
    names = [graph.bring_int16(name, node) if name in graph.quants else name for name in names]
    quants = [graph.quants.get(name, quant) for name, quant in zip(names, quants, strict=True)]
    multipliers, shift = normalise([find_ratio(quants[0].scale, quants[1].scale, over=y.scale)])
    graph.add(
        "MUL", node, names, node.outputs[:1], zeros=[quant.zero for quant in quants],
        multipliers=multipliers.tolist(), shift=shift, **describe_output(y),
    )  # fmt: skip


def lower_division(node: FloatNode, graph: FixedGraph) -> None:
    """Append MUL_CONSTANT by the reciprocal."""
    divisor = graph.network.constant(node.inputs[1])
    assert divisor is not None
    fitted = fit_constant(divisor, node.inputs[0], node, graph.network)
    assert fitted is not None
    graph.add_rescaling(
        node, node.inputs[0], node.outputs[0], np.float32(1) / fitted, name=graph.name_constant(node.inputs[1])
    )


def classify_single(node: FloatNode, network: FloatNetwork) -> Role | None:
    """Return OTHER for a node of one activation."""
    return Role.OTHER if network.is_activation(node.inputs[0]) else None


def lower_negation(node: FloatNode, graph: FixedGraph) -> None:
    """Append MUL_CONSTANT by -1."""
    graph.add_rescaling(node, node.inputs[0], node.outputs[0], -1.0)


def classify_maximum(node: FloatNode, network: FloatNetwork) -> Role | None:
    """Return COPY for the maximum of two activations: both have the scale of the output."""
    return Role.COPY if len(node.inputs) == 2 and all(map(network.is_activation, node.inputs)) else None


def lower_maximum(node: FloatNode, graph: FixedGraph) -> None:
    """Append MAXIMUM."""
    quant = graph.quants[node.outputs[0]]
    graph.add("MAXIMUM", node, [graph.bring(name, quant, node) for name in node.inputs], node.outputs[:1])


def _make_rule(lower: Callable[[FloatNode, FixedGraph], None]) -> Rule:
    """Return the rule of an operator of two operands."""
    return Rule(classify_pair, lower)


FAMILY: Family = {
    "Add": _make_rule(lower_sum),
    "Sum": _make_rule(lower_sum),
    "Sub": _make_rule(lower_sum),
    "Mul": _make_rule(lower_product),
    "Div": Rule(classify_division, lower_division),
    "Neg": Rule(classify_single, lower_negation),
    "Max": Rule(classify_maximum, lower_maximum),
}
