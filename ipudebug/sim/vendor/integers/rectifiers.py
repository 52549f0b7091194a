"""RELU, RELU6, LEAKY_RELU, PRELU in integers (SPEC 11.4)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ipudebug.sim.vendor.fixed_builder import INT16_MAX, FixedBuilder
from ipudebug.sim.vendor.tables import VendorOperator, VendorTensor


def _steps(
    builder: FixedBuilder, operator: VendorOperator, x: VendorTensor, y: VendorTensor
) -> tuple[np.float32, dict[str, Any]]:
    """Return the scale behind the first step, and the attributes of the one step (INT16 output) or two (UINT8)."""
    s_x, s_y = builder.scale(x), builder.scale(y)
    first = s_y if y.dtype == np.int16 else builder.ratio(builder.bounds(y), over=np.float32(INT16_MAX))
    (multiplier,), shift = builder.normalise(operator, builder.ratio(s_x, over=first))
    multipliers, shifts = [multiplier], [shift]
    if y.dtype != np.int16:
        (second,), second_shift = builder.normalise(operator, builder.ratio(first, over=s_y))
        multipliers.append(second)
        shifts.append(second_shift)
    y_zero = builder.zero(y)
    attributes = {"zeros": [builder.zero(x)], "multipliers": multipliers, "shifts": shifts, "y_zero": y_zero}
    return first, {**attributes, "dtype": y.dtype.name}


def lower_relu(builder: FixedBuilder, operator: VendorOperator) -> bool:
    """Append RELU or RELU6, whose upper bound is that of the output's range."""
    (x,) = builder.take(operator, 1)
    y = builder.output(operator)
    builder.expect(operator, y, x.shape)
    _, attributes = _steps(builder, operator, x, y)
    builder.compute(operator, "RELU", [builder.value(x)], [builder.bind(y)], **attributes)
    return True


def lower_leaky_relu(builder: FixedBuilder, operator: VendorOperator) -> bool:
    """Append LEAKY_RELU; the slope is slot 0."""
    (x,) = builder.take(operator, 1)
    y = builder.output(operator)
    builder.expect(operator, y, x.shape)
    alpha = np.float32(operator.options.number(0, "f"))
    if not np.isfinite(alpha) or abs(alpha) > 1e6:
        return False
    first, attributes = _steps(builder, operator, x, y)
    multipliers, shift = builder.normalise(operator, builder.ratio(alpha, builder.scale(x), over=first))
    builder.compute(
        operator,
        "LEAKY_RELU",
        [builder.value(x)],
        [builder.bind(y)],
        negative_multipliers=multipliers,
        negative_shifts=[shift],
        **attributes,
    )
    return True


def lower_prelu(builder: FixedBuilder, operator: VendorOperator) -> bool:
    """Append PRELU; stored are the multipliers of the slopes, whose shift follows from the slopes' range."""
    x, slopes = builder.take(operator, 2)
    y = builder.output(operator)
    builder.expect(operator, y, x.shape)
    if slopes.dtype != np.int16 or slopes.data is None:
        return False
    slope_shift = builder.find_shift(operator, builder.read(slopes), float(builder.bounds(slopes)))
    (multiplier,), shift = builder.normalise(operator, builder.ratio(builder.scale(x), over=builder.scale(y)))
    builder.compute(
        operator,
        "PRELU",
        [builder.value(x), builder.broadcast(slopes, len(y.shape))],
        [builder.bind(y)],
        zeros=[builder.zero(x)],
        slope_shift=slope_shift,
        multipliers=[multiplier],
        shifts=[shift],
        y_zero=builder.zero(y),
        dtype=y.dtype.name,
    )
    return True


OPERATORS = {"RELU": lower_relu, "RELU6": lower_relu, "LEAKY_RELU": lower_leaky_relu, "PRELU": lower_prelu}
