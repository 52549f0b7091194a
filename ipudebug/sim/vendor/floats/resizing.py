"""Resizes: RESIZE_BILINEAR, RESIZE_NEAREST_NEIGHBOR."""

from __future__ import annotations

from ipudebug.sim.vendor.builder import GraphBuilder
from ipudebug.sim.vendor.tables import VendorOperator

_FLAGS = {"RESIZE_BILINEAR": (2, 3), "RESIZE_NEAREST_NEIGHBOR": (0, 1)}
"""Slots of align_corners and half_pixel_centers."""


def translate_resize(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append a resize: x, new height and width; the size is that of the output."""
    x = builder.take(operator, 1, 2)[0]
    y = builder.output(operator)
    if len(x.shape) != 4:
        raise builder.refuse(operator, f"resizes a tensor of {len(x.shape)} dimensions, not 4")
    height, width = y.shape[1:3] if len(y.shape) == 4 else (0, 0)
    builder.expect(operator, y, (x.shape[0], height, width, x.shape[3]))
    options = operator.optional_options
    corners, centres = (options.integer(slot, "B") if options else 0 for slot in _FLAGS[operator.type])
    mode = "align_corners" if corners else "half_pixel" if centres else "asymmetric"
    is_linear = operator.type == "RESIZE_BILINEAR"
    # TFLite: floor(x / scale), but with either flag the nearest centre, a half going up.
    nearest = None if is_linear else "round_prefer_ceil" if corners or centres else "floor"
    sizes = builder.integers([x.shape[0], x.shape[3], height, width], f"{x.name}/sizes")
    builder.add(
        "Resize",
        [builder.value(x), "", "", sizes],
        [builder.bind(y)],
        mode="linear" if is_linear else "nearest",
        coordinate_transformation_mode=mode,
        nearest_mode=nearest,
    )


OPERATORS = dict.fromkeys(_FLAGS, translate_resize)
