"""Operators that reduce axes, and those that normalise along one: mean, sum, extremes, arg max, softmax."""

from __future__ import annotations

import numpy as np

from ipudebug.sim.vendor.builder import GraphBuilder, order_axis
from ipudebug.sim.vendor.floats.joining import find_axis
from ipudebug.sim.vendor.floats.shaping import bind_reshaped
from ipudebug.sim.vendor.onnx_writer import find_element
from ipudebug.sim.vendor.tables import VendorOperator

_REDUCERS = {
    "MEAN": "ReduceMean",
    "SUM": "ReduceSum",
    "REDUCE_MAX": "ReduceMax",
    "REDUCE_MIN": "ReduceMin",
    "REDUCE_PROD": "ReduceProd",
}
_ARGUMENTS = {"ARG_MAX": "ArgMax", "ARG_MIN": "ArgMin"}
_SOFTMAX = {"SOFTMAX": "Softmax", "LOG_SOFTMAX": "LogSoftmax"}
_LEAST_SQUARES = 1e-6  # TFLite's guard against a division by zero


def translate_reducer(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append a reduction: x, axes; whether the axes stay is seen from the output's shape."""
    x, which = builder.take(operator, 2)
    y = builder.output(operator)
    rank = len(x.shape)
    axes = {find_axis(builder, operator, axis, rank) for axis in builder.read_integers(which)}
    kept = tuple(1 if i in axes else dim for i, dim in enumerate(x.shape))
    if y.shape != kept:
        builder.expect(operator, y, [dim for i, dim in enumerate(x.shape) if i not in axes])
    graph_axes = sorted(order_axis(axis, rank) for axis in axes)
    if operator.type == "SUM":
        inputs = [builder.value(x), builder.integers(graph_axes, f"{x.name}/axes")]
        reduced = builder.apply("ReduceSum", inputs, y.name, keepdims=1)
    else:
        reduced = builder.apply(_REDUCERS[operator.type], [builder.value(x)], y.name, axes=graph_axes, keepdims=1)
    if y.shape == kept:
        builder.add("Identity", [reduced], [builder.bind(y)])
    else:
        bind_reshaped(builder, reduced, rank, y)


def translate_argument(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append ARG_MAX or ARG_MIN: x, axis; the first of equals wins; the result has the type that the file states."""
    x, where = builder.take(operator, 2)
    y = builder.output(operator)
    axes = builder.read_integers(where)
    if len(axes) != 1:
        raise builder.refuse(operator, f"looks along the axes {axes}")
    axis = find_axis(builder, operator, axes[0], len(x.shape))
    if y.shape != (*x.shape[:axis], 1, *x.shape[axis + 1 :]):
        builder.expect(operator, y, (*x.shape[:axis], *x.shape[axis + 1 :]))
    graph_axis = order_axis(axis, len(x.shape))
    found = builder.apply(_ARGUMENTS[operator.type], [builder.value(x)], y.name, axis=graph_axis, keepdims=1)
    cast = builder.apply("Cast", [found], y.name, to=find_element(y.dtype))
    bind_reshaped(builder, cast, len(x.shape), y)


def translate_softmax(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append SOFTMAX or LOG_SOFTMAX over the last axis; slot 0 is a factor of the input, 0 standing for 1.

    The input of a fixed or cmodel graph may still have the shape from before a RESHAPE that was removed; it is taken
    by its number of elements.
    """
    (x,) = builder.take(operator, 1)
    y = builder.output(operator)
    if x.size != y.size or not y.shape:
        builder.expect(operator, y, x.shape)
    options = operator.optional_options
    beta = float(options.number(0, "f")) if options is not None else 0.0
    source = builder.value(x) if x.shape == y.shape else builder.stored(x, y.shape)
    if operator.type == "SOFTMAX" and beta not in (0.0, 1.0) and np.isfinite(beta):
        source = builder.apply("Mul", [source, builder.constant(np.float32(beta).reshape(()), "beta")], y.name)
    if x.shape == y.shape:
        builder.add(_SOFTMAX[operator.type], [source], [builder.bind(y)], axis=order_axis(-1, len(y.shape)))
    else:
        builder.bind_stored(y, builder.apply(_SOFTMAX[operator.type], [source], y.name, axis=-1))


def translate_l2_normalization(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append x / sqrt(sum of x^2 over the last axis)."""
    (x,) = builder.take(operator, 1)
    y = builder.output(operator)
    builder.expect(operator, y, x.shape)
    axis = order_axis(-1, len(x.shape))
    squares = builder.apply("ReduceSumSquare", [builder.value(x)], y.name, axes=[axis], keepdims=1)
    least = builder.constant(np.float32(_LEAST_SQUARES).reshape(()), f"{y.name}/least")
    length = builder.apply("Sqrt", [builder.apply("Max", [squares, least], y.name)], y.name)
    builder.add("Div", [builder.value(x), length], [builder.bind(y)])


def translate_local_response(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append x / (bias + alpha sum of x^2 over 2 radius + 1 channels)^beta; slots 0 to 3: radius, bias, alpha, beta."""
    (x,) = builder.take(operator, 1)
    y = builder.output(operator)
    builder.expect(operator, y, x.shape)
    options = operator.options
    size = 2 * options.integer(0) + 1
    bias, alpha, beta = (float(options.number(slot, "f")) for slot in (1, 2, 3))
    if len(x.shape) != 4 or not 1 <= size < 1 << 16 or not np.isfinite([bias, alpha, beta]).all():
        raise builder.refuse(operator, f"normalises {len(x.shape)} dimensions over {size} channels")
    builder.add("LRN", [builder.value(x)], [builder.bind(y)], size=size, bias=bias, alpha=alpha * size, beta=beta)


OPERATORS = {
    **dict.fromkeys(_REDUCERS, translate_reducer),
    **dict.fromkeys(_ARGUMENTS, translate_argument),
    **dict.fromkeys(_SOFTMAX, translate_softmax),
    "L2_NORMALIZATION": translate_l2_normalization,
    "LOCAL_RESPONSE_NORMALIZATION": translate_local_response,
}
