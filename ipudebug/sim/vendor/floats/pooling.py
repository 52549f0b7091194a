"""Pools: AVERAGE_POOL_2D (padding does not count), MAX_POOL_2D."""

from __future__ import annotations

from ipudebug.sim.vendor.builder import GraphBuilder
from ipudebug.sim.vendor.floats.activation import add_activated
from ipudebug.sim.vendor.options import read_pool
from ipudebug.sim.vendor.tables import VendorOperator

_TYPES = {"AVERAGE_POOL_2D": "AveragePool", "MAX_POOL_2D": "MaxPool"}


def translate_pool(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append a pool."""
    (x,) = builder.take(operator, 1)
    y = builder.output(operator)
    if len(x.shape) != 4:
        raise builder.refuse(operator, f"pools a tensor of {len(x.shape)} dimensions, not 4")
    window, activation = read_pool(operator, x.shape[1:3], builder.model.path)
    if any(pad >= size for pad, size in zip(window.pads, window.kernel * 2, strict=True)):
        raise builder.refuse(operator, f"pads {list(window.pads)} as far as its kernel {list(window.kernel)} reaches")
    builder.expect(operator, y, (x.shape[0], *window.slide(*x.shape[1:3]), x.shape[3]))
    add_activated(
        builder,
        _TYPES[operator.type],
        [builder.value(x)],
        y,
        activation,
        kernel_shape=list(window.kernel),
        strides=list(window.strides),
        pads=list(window.pads),
    )


OPERATORS = dict.fromkeys(_TYPES, translate_pool)
