"""ADD, SUB, MUL, MAXIMUM in integers: of two tensors, or of a tensor and a stored constant (SPEC 11.4)."""

from __future__ import annotations

import numpy as np

from ipudebug.sim.vendor.fixed_builder import FixedBuilder
from ipudebug.sim.vendor.floats.elementwise import pair
from ipudebug.sim.vendor.options import read_fused_activation
from ipudebug.sim.vendor.tables import VendorOperator, VendorTensor


def lower_sum(builder: FixedBuilder, operator: VendorOperator) -> bool:
    """Append ADD or SUB of two tensors, or ADD of a constant; False for a SUB of one, which is not known."""
    if read_fused_activation(operator, 0, builder.model.path):
        return False
    a, b = builder.take(operator, 2)
    if a.data is not None and b.data is None and operator.type == "ADD":
        a, b = b, a
    y = builder.output(operator)
    if b.data is not None:
        return operator.type == "ADD" and a.data is None and _add_constant(builder, operator, a, b, y)
    if a.data is not None:
        return False
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
        y_zero=builder.zero(y),
        dtype=y.dtype.name,
    )
    return True


def _add_constant(
    builder: FixedBuilder, operator: VendorOperator, a: VendorTensor, constant: VendorTensor, y: VendorTensor
) -> bool:
    """Append ADD of an INT32 constant, which is stored in half steps of the output."""
    if constant.dtype != np.int32:
        return False
    pair(builder, operator)
    ratio = builder.ratio(builder.scale(a), over=builder.scale(y))
    (multiplier,), shift = builder.normalise(operator, ratio)
    builder.compute(
        operator,
        "ADD_CONSTANT",
        [builder.broadcast(a, len(y.shape)), builder.broadcast(constant, len(y.shape))],
        [builder.bind(y)],
        zeros=[builder.zero(a)],
        multipliers=[multiplier],
        shift=shift,
        y_zero=builder.zero(y),
        dtype=y.dtype.name,
    )
    return True


def lower_product(builder: FixedBuilder, operator: VendorOperator) -> bool:
    """Append MUL of two tensors, or of a tensor and an INT16 constant."""
    if read_fused_activation(operator, 0, builder.model.path):
        return False
    a, b = builder.take(operator, 2)
    a, b = (b, a) if a.data is not None else (a, b)
    y = builder.output(operator)
    if a.data is not None:
        return False
    if b.data is not None:
        return _multiply_constant(builder, operator, a, b, y)
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
        y_zero=builder.zero(y),
        dtype=y.dtype.name,
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
    builder.compute(
        operator,
        "MUL_CONSTANT",
        [builder.broadcast(a, len(y.shape)), builder.broadcast(constant, len(y.shape))],
        [builder.bind(y)],
        zeros=[builder.zero(a)],
        shift=shift,
        y_zero=builder.zero(y),
        dtype=y.dtype.name,
    )
    return True


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
