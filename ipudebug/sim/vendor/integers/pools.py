"""MAX_POOL_2D, AVERAGE_POOL_2D, MEAN in integers: the operands share one scale (SPEC 11.5)."""

from __future__ import annotations

from ipudebug.sim.vendor.builder import order_axis
from ipudebug.sim.vendor.fixed_builder import FixedBuilder
from ipudebug.sim.vendor.floats.joining import find_axis
from ipudebug.sim.vendor.options import read_pool
from ipudebug.sim.vendor.tables import VendorOperator


def lower_pool(builder: FixedBuilder, operator: VendorOperator) -> bool:
    """Append a pool; False where input and output differ in scale."""
    (x,) = builder.take(operator, 1)
    y = builder.output(operator)
    if len(x.shape) != 4 or not builder.is_tied(x, y):
        return False
    window, activation = read_pool(operator, x.shape[1:3], builder.model.path)
    if activation or any(pad >= size for pad, size in zip(window.pads, window.kernel * 2, strict=True)):
        return False
    builder.expect(operator, y, (x.shape[0], *window.slide(*x.shape[1:3]), x.shape[3]))
    builder.compute(
        operator,
        operator.type,
        [builder.value(x)],
        [builder.bind(y)],
        kernel=list(window.kernel),
        strides=list(window.strides),
        pads=list(window.pads),
        dtype=y.dtype.name,
    )
    return True


def lower_mean(builder: FixedBuilder, operator: VendorOperator) -> bool:
    """Append MEAN with its axes kept; False where they vanish, or where input and output differ in scale."""
    x, which = builder.take(operator, 2)
    y = builder.output(operator)
    rank = len(x.shape)
    axes = sorted({find_axis(builder, operator, axis, rank) for axis in builder.read_integers(which)})
    kept = tuple(1 if index in axes else dim for index, dim in enumerate(x.shape))
    if not axes or y.shape != kept or not builder.is_tied(x, y):
        return False
    graph_axes = sorted(order_axis(axis, rank) for axis in axes)
    builder.compute(
        operator, "MEAN", [builder.value(x)], [builder.bind(y)], axes=graph_axes, keepdims=1, dtype=y.dtype.name
    )
    return True


OPERATORS = {"MAX_POOL_2D": lower_pool, "AVERAGE_POOL_2D": lower_pool, "MEAN": lower_mean}
