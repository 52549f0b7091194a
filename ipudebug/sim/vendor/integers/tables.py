"""SOFTMAX and LOGISTIC, which the chip reads from tables that no file holds (SPEC 11.5): close, not exact."""

from __future__ import annotations

import numpy as np

from ipudebug.sim.vendor.builder import order_axis
from ipudebug.sim.vendor.fixed_builder import FixedBuilder
from ipudebug.sim.vendor.operations import SOFTMAX_SCALE
from ipudebug.sim.vendor.tables import VendorOperator


def lower_softmax(builder: FixedBuilder, operator: VendorOperator) -> bool:
    """Append SOFTMAX over the last axis; an INT16 output counts in 1/32768, whatever the file states."""
    (x,) = builder.take(operator, 1)
    y = builder.output(operator)
    if x.size != y.size or not y.shape:
        builder.expect(operator, y, x.shape)
    is_int16 = y.dtype == np.int16
    options = operator.optional_options
    beta = (float(options.number(0, "f")) if options is not None else 0.0) or 1.0  # the vendor's files leave it out
    if not 0 < beta < 1e6:
        raise builder.refuse(operator, f"multiplies its input by {beta}")
    attributes = {
        "x_scale": float(builder.scale(x)) * beta,
        "y_scale": SOFTMAX_SCALE if is_int16 else float(builder.scale(y)),
        "y_zero": 0 if is_int16 else builder.zero(y),
        "dtype": y.dtype.name,
    }
    if x.shape == y.shape:
        axis = order_axis(-1, len(y.shape))
        builder.compute(operator, "SOFTMAX", [builder.value(x)], [builder.bind(y)], axis=axis, **attributes)
    else:
        result = builder.invent(f"{y.name}/softmax")
        axis = len(y.shape) - 1
        builder.compute(operator, "SOFTMAX", [builder.stored(x, y.shape)], [result], axis=axis, **attributes)
        builder.bind_stored(y, result)
    return True


def lower_logistic(builder: FixedBuilder, operator: VendorOperator) -> bool:
    """Append LOGISTIC."""
    (x,) = builder.take(operator, 1)
    y = builder.output(operator)
    builder.expect(operator, y, x.shape)
    builder.compute(
        operator,
        "LOGISTIC",
        [builder.value(x)],
        [builder.bind(y)],
        x_scale=float(builder.scale(x)),
        x_zero=builder.zero(x),
        y_scale=float(builder.scale(y)),
        y_zero=builder.zero(y),
        dtype=y.dtype.name,
    )
    return True


OPERATORS = {"SOFTMAX": lower_softmax, "LOGISTIC": lower_logistic}
