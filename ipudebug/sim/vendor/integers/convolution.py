"""CONV_2D, DEPTHWISE_CONV_2D and Dilation in integers."""

from __future__ import annotations

import numpy as np

from ipudebug.errors import ModelError
from ipudebug.sim.vendor.fixed_builder import FixedBuilder
from ipudebug.sim.vendor.floats.shaping import reorder
from ipudebug.sim.vendor.options import read_convolution
from ipudebug.sim.vendor.tables import VendorOperator, VendorTensor
from ipudebug.sim.vendor.weights import decode_weights

_LARGEST_SHIFT = 62


def lower_convolution(builder: FixedBuilder, operator: VendorOperator) -> bool:
    """Append a convolution: the bias tensor [2, C] holds bias16 and mult16, the options hold the shifts."""
    x, weights, bias = builder.take(operator, 3)
    y = builder.output(operator)
    depthwise = operator.type == "DEPTHWISE_CONV_2D"
    path = builder.model.path
    kernels = _count_kernels(builder, operator, depthwise=depthwise)
    options = read_convolution(operator, weights.shape[1:3], x.shape[1:3], path)
    channels = weights.shape[3] if depthwise else weights.shape[0]
    builder.expect(operator, y, (x.shape[0], *options.window.slide(*x.shape[1:3]), channels))
    if options.activation not in ("", "RELU", "RELU6"):
        raise builder.refuse(operator, f"has the activation {options.activation} in integers")
    if not (0 <= options.pre <= _LARGEST_SHIFT and 0 <= options.post <= _LARGEST_SHIFT):
        raise ModelError(
            f"{path}: {operator.describe()}: impossible shifts {options.pre} and {options.post}",
            "the file is damaged, or of another SDK: calibrate the model again",
        )
    parameters = builder.read(bias)
    if parameters.shape != (2, channels) or parameters.dtype != np.int16:
        raise ModelError(
            f"{path}: {operator.describe()}: expected bias and multipliers int16 [2, {channels}], found "
            f"{parameters.dtype} {list(parameters.shape)}",
            "the file is damaged, or of another SDK: calibrate the model again",
        )
    if kernels > 1:
        builder.mark_inexact(operator)  # not seen: the arithmetic is that of one kernel per channel
    inputs = [
        _repeat_channels(builder, x, kernels) if kernels > 1 else builder.value(x),
        builder.constant(decode_weights(weights, options.tiles, path, depthwise=depthwise), weights.name),
        builder.constant(parameters[0], f"{bias.name}/bias16"),
        builder.constant(parameters[1], f"{bias.name}/mult16"),
    ]
    y_zero, x_zero = builder.zero(y), builder.zero(x)
    limits = np.iinfo(y.dtype)
    builder.compute(
        operator,
        operator.type,
        inputs,
        [builder.bind(y)],
        strides=list(options.window.strides),
        dilations=list(options.window.dilations),
        pads=list(options.window.pads),
        pre=options.pre,
        post=options.post,
        x_zero=x_zero,
        dtype=y.dtype.name,
        low=max(int(limits.min), y_zero) if options.activation else int(limits.min),
        high=int(limits.max),
    )
    return True


def _count_kernels(builder: FixedBuilder, operator: VendorOperator, *, depthwise: bool) -> int:
    """Return how many depthwise kernels each channel of the input has, 1 for CONV_2D; raises UnsupportedOp."""
    x, weights = builder.take(operator, 3)[:2]
    fits = len(x.shape) == len(weights.shape) == 4 and weights.shape[3] % x.shape[3] == 0
    kernels = weights.shape[3] // x.shape[3] if fits else 0
    if kernels < 1 or (weights.shape[0] != 1 if depthwise else kernels > 1):
        what = f"has weights of shape {list(weights.shape)} for {list(x.shape)}"
        raise builder.refuse(operator, what, "groups of channels are not known in integers: split them in the original")
    return kernels


def _repeat_channels(builder: FixedBuilder, x: VendorTensor, count: int) -> str:
    """Return the name of an image in which each channel stands ``count`` times in a row."""
    places = builder.integers([channel // count for channel in range(x.shape[3] * count)], f"{x.name}/places")
    return builder.apply("Gather", [builder.value(x), places], x.name, axis=1)


def lower_dilation(builder: FixedBuilder, operator: VendorOperator) -> bool:
    """Append a Dilation: what is inserted and padded has the zero point's value."""
    x, outer, inner = builder.take(operator, 3)
    y = builder.output(operator)
    pads, gaps = builder.read_integers(outer), builder.read_integers(inner)
    rank = len(x.shape)
    if len(pads) != 2 * rank or len(gaps) != rank or min(*pads, *gaps) < 0 or not builder.is_tied(x, y):
        return False
    before, after = pads[0::2], pads[1::2]
    spread = [size + (size - 1) * gap for size, gap in zip(x.shape, gaps, strict=True)]
    builder.expect(operator, y, [size + a + b for size, a, b in zip(spread, before, after, strict=True)])
    frame = [*reorder(before), *reorder(after)]
    value = builder.zero(x)
    builder.compute(
        operator,
        "DILATION",
        [builder.value(x)],
        [builder.bind(y)],
        inner=reorder(gaps),
        pads=frame,
        value=value,
        dtype=y.dtype.name,
    )
    return True


OPERATORS = {
    "CONV_2D": lower_convolution,
    "DEPTHWISE_CONV_2D": lower_convolution,
    "Dilation": lower_dilation,
}
