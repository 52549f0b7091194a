"""Operators on single elements: activations and functions."""

from __future__ import annotations

import numpy as np

from ipudebug.sim.vendor.builder import GraphBuilder
from ipudebug.sim.vendor.floats.activation import add_activation
from ipudebug.sim.vendor.onnx_writer import find_element
from ipudebug.sim.vendor.tables import VendorOperator

_FUNCTIONS = {
    "LOGISTIC": "Sigmoid",
    "TANH": "Tanh",
    "ELU": "Elu",
    "HARD_SWISH": "HardSwish",
    "EXP": "Exp",
    "LOG": "Log",
    "SQRT": "Sqrt",
    "ABS": "Abs",
    "NEG": "Neg",
    "SIN": "Sin",
    "COS": "Cos",
    "FLOOR": "Floor",
    "CEIL": "Ceil",
    "ROUND": "Round",
    "LOGICAL_NOT": "Not",
}
_ACTIVATIONS = {"RELU", "RELU6", "RELU_N1_TO_1"}


def translate_function(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append a function that ONNX has as well."""
    (x,) = builder.take(operator, 1)
    y = builder.output(operator)
    builder.expect(operator, y, x.shape)
    builder.add(_FUNCTIONS[operator.type], [builder.value(x)], [builder.bind(y)])


def translate_activation(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append RELU, RELU6, RELU_N1_TO_1."""
    (x,) = builder.take(operator, 1)
    y = builder.output(operator)
    builder.expect(operator, y, x.shape)
    add_activation(builder, operator.type, builder.value(x), builder.bind(y))


def translate_leaky_relu(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append LEAKY_RELU; the slope is slot 0."""
    (x,) = builder.take(operator, 1)
    y = builder.output(operator)
    builder.expect(operator, y, x.shape)
    alpha = float(operator.options.number(0, "f"))
    if not np.isfinite(alpha):
        raise builder.refuse(operator, f"has the slope {alpha}")
    builder.add("LeakyRelu", [builder.value(x)], [builder.bind(y)], alpha=alpha)


def translate_prelu(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append PRELU: x, slopes that broadcast to it."""
    x, slopes = builder.take(operator, 2)
    y = builder.output(operator)
    builder.expect(operator, y, x.shape)
    builder.add("PRelu", [builder.value(x), builder.broadcast(slopes, len(x.shape))], [builder.bind(y)])


def translate_square(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append x^2."""
    (x,) = builder.take(operator, 1)
    y = builder.output(operator)
    builder.expect(operator, y, x.shape)
    builder.add("Mul", [builder.value(x)] * 2, [builder.bind(y)])


def translate_rsqrt(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append 1 / sqrt(x)."""
    (x,) = builder.take(operator, 1)
    y = builder.output(operator)
    builder.expect(operator, y, x.shape)
    builder.add("Reciprocal", [builder.apply("Sqrt", [builder.value(x)], y.name)], [builder.bind(y)])


def translate_cast(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append CAST to the type that the file states."""
    (x,) = builder.take(operator, 1)
    y = builder.output(operator)
    builder.expect(operator, y, x.shape)
    builder.add("Cast", [builder.value(x)], [builder.bind(y)], to=find_element(y.dtype))


def translate_fix_to_float(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append the vendor's Fix2Float: its integers as the real numbers that they stand for."""
    (x,) = builder.take(operator, 1)
    y = builder.output(operator)
    builder.expect(operator, y, x.shape)
    builder.add("Identity", [builder.value(x)], [builder.bind(y)])


OPERATORS = {
    **dict.fromkeys(_FUNCTIONS, translate_function),
    **dict.fromkeys(_ACTIVATIONS, translate_activation),
    "LEAKY_RELU": translate_leaky_relu,
    "PRELU": translate_prelu,
    "SQUARE": translate_square,
    "RSQRT": translate_rsqrt,
    "CAST": translate_cast,
    "Fix2Float": translate_fix_to_float,
}
