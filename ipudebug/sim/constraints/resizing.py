"""Resize, Upsample."""

from __future__ import annotations

from collections.abc import Sequence

from ipudebug.sim.constraints.node import Node
from ipudebug.sim.constraints.rule import NodeRule, Offence, Subject, allow_values

MAPPINGS = ("align_corners", "asymmetric", "half_pixel", "pytorch_half_pixel")
ROUNDINGS = ("round_prefer_floor", "floor", "round_prefer_ceil")


def _test_upsample(node: Node, subject: Subject) -> Offence | None:
    """Batch and channels keep their size; the scales are an attribute, or the second input."""
    scales = node.read_list("scales", float)
    values = subject.graph.find_constant(node.read_input(1))
    if values is not None:
        scales = values.reshape(-1).tolist()
    return _judge_scales(scales, range(len(scales)))


def _test_resize(node: Node, subject: Subject) -> Offence | None:
    """Batch and channels keep their size, whether scales or sizes say how large the result is."""
    place = 1 if subject.graph.opset < 11 else 2
    scales = subject.graph.find_constant(node.read_input(place))
    axes = node.read_list("axes", int)
    if scales is not None and scales.size:
        return _judge_scales(scales.reshape(-1).tolist(), axes or range(scales.size))
    sizes = subject.graph.find_constant(node.read_input(3))
    shape = subject.graph.find_shape(node.read_input(0))
    if sizes is None or shape is None:
        return None
    for axis, size in zip(axes or range(sizes.size), sizes.reshape(-1).tolist(), strict=False):
        axis += len(shape) if axis < 0 else 0
        if axis in (0, 1) and axis < len(shape) and shape[axis] not in (None, size):
            return Offence(f"size {size} instead of {shape[axis]} on axis {axis}")
    return None


def _judge_scales(scales: Sequence[float], axes: Sequence[int]) -> Offence | None:
    """Return the first scale of batch or channels that is not 1."""
    pairs = [(axis, scale) for axis, scale in zip(axes, scales, strict=False) if axis in (0, 1) and scale != 1]
    return Offence(f"scale {pairs[0][1]:g} on axis {pairs[0][0]}") if pairs else None


RULES = (
    NodeRule("035", ("Upsample",), _test_upsample),
    allow_values("043", "Resize", "nearest_mode", ROUNDINGS),
    allow_values("044", "Resize", "mode", ("nearest", "linear")),
    allow_values("045", "Resize", "keep_aspect_ratio_policy", ("stretch",)),
    allow_values("046", "Resize", "exclude_outside", (0,)),
    allow_values("047", "Resize", "coordinate_transformation_mode", MAPPINGS),
    allow_values("048", "Resize", "antialias", (0,)),
    NodeRule("049", ("Resize",), _test_resize),
)
