"""Operators that pair elements: arithmetic, extremes, comparisons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.errors import ModelError
from ipudebug.sim.vendor.builder import GraphBuilder
from ipudebug.sim.vendor.floats.activation import add_activated
from ipudebug.sim.vendor.onnx_writer import find_element
from ipudebug.sim.vendor.options import read_fused_activation
from ipudebug.sim.vendor.tables import VendorOperator, VendorTensor
from ipudebug.tensor import dims

_ARITHMETIC = {"ADD": "Add", "SUB": "Sub", "MUL": "Mul", "DIV": "Div"}
_PLAIN = {"MAXIMUM": "Max", "MINIMUM": "Min", "POW": "Pow"}
_LOGICAL = {"LOGICAL_AND": "And", "LOGICAL_OR": "Or"}
_COMPARISONS = {
    "LESS": "Less",
    "LESS_EQUAL": "LessOrEqual",
    "GREATER": "Greater",
    "GREATER_EQUAL": "GreaterOrEqual",
    "EQUAL": "Equal",
    "NOT_EQUAL": "Equal",
}


def pair(builder: GraphBuilder, operator: VendorOperator) -> tuple[list[str], VendorTensor]:
    """Return the two operands' values, their axes those of the output, and the output; raises ModelError."""
    return broadcast_all(builder, operator, builder.take(operator, 2))


def broadcast_all(
    builder: GraphBuilder, operator: VendorOperator, tensors: Sequence[VendorTensor]
) -> tuple[list[str], VendorTensor]:
    """Return the values of operands, their axes those of the output, and the output; raises ModelError."""
    y = builder.output(operator)
    try:
        shape = np.broadcast_shapes(*(tensor.shape for tensor in tensors))
    except ValueError:
        listed = " and ".join(f"{tensor.name!r} of shape {dims(tensor.shape)}" for tensor in tensors)
        raise ModelError(
            f"{builder.model.path}: {operator.describe()}: {listed} do not fit each other",
            "the file is damaged: copy it again in binary mode, or convert the model again",
        ) from None
    builder.expect(operator, y, shape)
    return [builder.broadcast(tensor, len(y.shape)) for tensor in tensors], y


def translate_arithmetic(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append ADD, SUB, MUL, DIV, with the activation that they may have."""
    operands, y = pair(builder, operator)
    activation = read_fused_activation(operator, 0, builder.model.path)
    add_activated(builder, _ARITHMETIC[operator.type], operands, y, activation)


def translate_plain(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append an operator of two operands that ONNX has as well."""
    operands, y = pair(builder, operator)
    builder.add((_PLAIN | _LOGICAL)[operator.type], operands, [builder.bind(y)])


def translate_comparison(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append a comparison; its result is cast to the type that the file states."""
    operands, y = pair(builder, operator)
    result = builder.apply(_COMPARISONS[operator.type], operands, y.name)
    if operator.type == "NOT_EQUAL":
        result = builder.apply("Not", [result], y.name)
    builder.add("Cast", [result], [builder.bind(y)], to=find_element(y.dtype))


def translate_squared_difference(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append (a - b)^2."""
    operands, y = pair(builder, operator)
    difference = builder.apply("Sub", operands, y.name)
    builder.add("Mul", [difference, difference], [builder.bind(y)])


def translate_floor_div(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append floor(a / b)."""
    operands, y = pair(builder, operator)
    builder.add("Floor", [builder.apply("Div", operands, y.name)], [builder.bind(y)])


def translate_floor_mod(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append a - floor(a / b) b, which has the sign of b."""
    operands, y = pair(builder, operator)
    rest = builder.apply("Mod", operands, y.name, fmod=1)  # the sign of a
    moved = builder.apply("Add", [rest, operands[1]], y.name)
    builder.add("Mod", [moved, operands[1]], [builder.bind(y)], fmod=1)


def translate_add_n(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append the sum of any number of tensors."""
    operands, y = broadcast_all(builder, operator, builder.take(operator, 1, 1 << 16))
    builder.add("Sum", operands, [builder.bind(y)])


OPERATORS = {
    **dict.fromkeys(_ARITHMETIC, translate_arithmetic),
    **dict.fromkeys(_PLAIN | _LOGICAL, translate_plain),
    **dict.fromkeys(_COMPARISONS, translate_comparison),
    "SQUARED_DIFFERENCE": translate_squared_difference,
    "FLOOR_DIV": translate_floor_div,
    "FLOOR_MOD": translate_floor_mod,
    "ADD_N": translate_add_n,
}
