"""ADD, SUB, MUL, MAXIMUM in integers: of two tensors, or of a tensor and a stored constant (SPEC 11.4)."""

from __future__ import annotations

import numpy as np

from ipudebug.sim.vendor.builder import TO_NCHW, order_shape
from ipudebug.sim.vendor.fixed_builder import FixedBuilder
from ipudebug.sim.vendor.floats.elementwise import pair
from ipudebug.sim.vendor.options import read_fused_activation
from ipudebug.sim.vendor.tables import VendorOperator, VendorTensor


def lower_sum(builder: FixedBuilder, operator: VendorOperator) -> bool:
    """Append ADD or SUB of two tensors, or of a tensor and a constant."""
    a, b = builder.take(operator, 2)
    y = builder.output(operator)
    if a.data is not None or b.data is not None:
        return _add_constant(builder, operator)
    operands, _ = pair(builder, operator)
    s_y = builder.scale(y)
    ratios = [builder.ratio(builder.scale(tensor), over=s_y) for tensor in (a, b)]
    multipliers, shift = builder.normalise(operator, *ratios)
    builder.compute(
        operator,
        operator.type,
        operands,
        [builder.bind(y)],
        zeros=[builder.zero(a), builder.zero(b)],
        multipliers=multipliers,
        shift=shift,
        **_limit(builder, operator, y),
    )
    return True


def _add_constant(builder: FixedBuilder, operator: VendorOperator) -> bool:
    """Append a sum with an INT32 constant, which is stored in half steps of the output; False for any other.

    SUB is taken for ADD with one operand negated; it has not been seen.
    """
    a, b = builder.take(operator, 2)
    y = builder.output(operator)
    x, constant = (b, a) if a.data is not None else (a, b)
    if x.data is not None or constant.dtype != np.int32:
        return False
    pair(builder, operator)
    (multiplier,), shift = builder.normalise(operator, builder.ratio(builder.scale(x), over=builder.scale(y)))
    stored = _broadcast_constant(builder, constant, y)
    if operator.type == "SUB":
        builder.mark_inexact(operator)
        multiplier = -multiplier if x is b else multiplier
        stored = -stored if x is a else stored
    builder.compute(
        operator,
        "ADD_CONSTANT",
        [_spread(builder, x, y), builder.constant(stored, constant.name)],
        [builder.bind(y)],
        zeros=[builder.zero(x)],
        multipliers=[multiplier],
        shift=shift,
        **_limit(builder, operator, y),
    )
    return True


def lower_product(builder: FixedBuilder, operator: VendorOperator) -> bool:
    """Append MUL of two INT16 tensors, or of a tensor and an INT16 constant; False for others, which are not known."""
    a, b = builder.take(operator, 2)
    a, b = (b, a) if a.data is not None else (a, b)
    y = builder.output(operator)
    if a.data is not None:
        return False
    if b.data is not None:
        return _multiply_constant(builder, operator, a, b, y)
    if {a.dtype, b.dtype} != {np.dtype(np.int16)}:
        return False  # with bytes, 16 bits less leave next to nothing of the product
    operands, _ = pair(builder, operator)
    ratio = builder.ratio(builder.scale(a), builder.scale(b), over=builder.scale(y))
    (multiplier,), shift = builder.normalise(operator, ratio)
    builder.compute(
        operator,
        "MUL",
        operands,
        [builder.bind(y)],
        zeros=[builder.zero(tensor) for tensor in builder.take(operator, 2)],
        multipliers=[multiplier],
        shift=shift,
        **_limit(builder, operator, y),
    )
    return True


def _multiply_constant(
    builder: FixedBuilder, operator: VendorOperator, a: VendorTensor, constant: VendorTensor, y: VendorTensor
) -> bool:
    """Append MUL by an INT16 constant: stored are the multipliers; their shift follows from the constant's range."""
    if constant.dtype != np.int16:
        return False
    pair(builder, operator)
    largest = builder.ratio(builder.bounds(constant), builder.scale(a), over=builder.scale(y))
    shift = builder.find_shift(operator, builder.read(constant), float(largest))
    stored = builder.constant(_broadcast_constant(builder, constant, y), constant.name)
    builder.compute(
        operator,
        "MUL_CONSTANT",
        [_spread(builder, a, y), stored],
        [builder.bind(y)],
        zeros=[builder.zero(a)],
        shift=shift,
        **_limit(builder, operator, y),
    )
    return True


def _limit(builder: FixedBuilder, operator: VendorOperator, y: VendorTensor) -> dict[str, int | str]:
    """Return the output's zero point, dtype and lower bound: a RELU or RELU6 inside begins at the zero point.

    An activation has been seen inside convolutions only, whose rule this is. Raises UnsupportedOp for another one.
    """
    activation = read_fused_activation(operator, 0, builder.model.path)
    y_zero = builder.zero(y)
    if not activation:
        return {"y_zero": y_zero, "dtype": y.dtype.name}
    if activation not in ("RELU", "RELU6"):
        raise builder.refuse(operator, f"has the activation {activation} in integers")
    builder.mark_inexact(operator)
    return {"y_zero": y_zero, "dtype": y.dtype.name, "low": max(int(np.iinfo(y.dtype).min), y_zero)}


def _broadcast_constant(builder: FixedBuilder, constant: VendorTensor, y: VendorTensor) -> np.ndarray:
    """Return a constant with as many axes as the output, in the graph's order."""
    rank = len(y.shape)
    array = builder.read(constant).reshape((1,) * (rank - len(constant.shape)) + constant.shape)
    return array.transpose(TO_NCHW) if rank == 4 else array


def _spread(builder: FixedBuilder, x: VendorTensor, y: VendorTensor) -> str:
    """Return the name of an operand in the output's shape: a constant may be larger than what it meets."""
    name = builder.broadcast(x, len(y.shape))
    if x.shape == y.shape:
        return name
    return builder.apply("Expand", [name, builder.integers(order_shape(y.shape), f"{y.name}/shape")], x.name)


def lower_maximum(builder: FixedBuilder, operator: VendorOperator) -> bool:
    """Append MAXIMUM where all share one scale; other cases are not known."""
    a, b = builder.take(operator, 2)
    y = builder.output(operator)
    if a.data is not None or b.data is not None or not builder.is_tied(a, b, y):
        return False
    operands, _ = pair(builder, operator)
    builder.compute(operator, "MAXIMUM", operands, [builder.bind(y)], dtype=y.dtype.name)
    return True


OPERATORS = {"ADD": lower_sum, "SUB": lower_sum, "MUL": lower_product, "MAXIMUM": lower_maximum}
