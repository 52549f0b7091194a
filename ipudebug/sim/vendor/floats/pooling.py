"""Pools: AVERAGE_POOL_2D (padding does not count), MAX_POOL_2D, L2_POOL_2D."""

from __future__ import annotations

from ipudebug.sim.vendor.builder import GraphBuilder
from ipudebug.sim.vendor.floats.activation import add_activated
from ipudebug.sim.vendor.options import read_pool
from ipudebug.sim.vendor.tables import VendorOperator

_TYPES = {"AVERAGE_POOL_2D": "AveragePool", "MAX_POOL_2D": "MaxPool", "L2_POOL_2D": "AveragePool"}


def translate_pool(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append a pool; L2_POOL_2D is the root of the average of the squares."""
    (x,) = builder.take(operator, 1)
    y = builder.output(operator)
    if len(x.shape) != 4:
        raise builder.refuse(operator, f"pools a tensor of {len(x.shape)} dimensions, not 4")
    window, activation = read_pool(operator, x.shape[1:3], builder.model.path)
    if any(pad >= size for pad, size in zip(window.pads, window.kernel * 2, strict=True)):
        raise builder.refuse(operator, f"pads {list(window.pads)} as far as its kernel {list(window.kernel)} reaches")
    builder.expect(operator, y, (x.shape[0], *window.slide(*x.shape[1:3]), x.shape[3]))
    source = builder.value(x)
    options = {"kernel_shape": list(window.kernel), "strides": list(window.strides), "pads": list(window.pads)}
    if operator.type == "L2_POOL_2D":
        squares = builder.apply("Mul", [source, source], y.name)
        add_activated(builder, "Sqrt", [builder.apply("AveragePool", [squares], y.name, **options)], y, activation)
    else:
        add_activated(builder, _TYPES[operator.type], [source], y, activation, **options)


OPERATORS = dict.fromkeys(_TYPES, translate_pool)
