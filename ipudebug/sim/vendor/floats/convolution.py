"""Convolutions: CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV, and the Dilation that stands for half of the latter."""

from __future__ import annotations

import numpy as np

from ipudebug.errors import ModelError
from ipudebug.sim.vendor.builder import TO_NCHW, GraphBuilder
from ipudebug.sim.vendor.floats.activation import add_activated
from ipudebug.sim.vendor.options import read_convolution, read_fused_activation
from ipudebug.sim.vendor.tables import VendorOperator, VendorTensor


def translate_convolution(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append a convolution; weights are [O,kh,kw,I], depthwise ones [1,kh,kw,C]."""
    tensors = builder.take(operator, 2, 3)
    x, weights = tensors[:2]
    y = builder.output(operator)
    depthwise = operator.type == "DEPTHWISE_CONV_2D"
    if len(x.shape) != 4 or len(weights.shape) != 4 or len(y.shape) != 4:
        raise builder.refuse(operator, "is no convolution of an image by a kernel of 4 dimensions")
    options = read_convolution(operator, weights.shape[1:3], x.shape[1:3], builder.model.path)
    channels, made = x.shape[3], weights.shape[3] if depthwise else weights.shape[0]
    reads = 1 if depthwise else weights.shape[3]
    if channels % reads or made % (channels // reads):
        raise _mismatch(builder, operator, x, weights)
    builder.expect(operator, y, (x.shape[0], *options.window.slide(*x.shape[1:3]), made))
    kernel = builder.read(weights).transpose((3, 0, 1, 2) if depthwise else TO_NCHW)
    inputs = [builder.value(x)]
    bias = _read_bias(builder, operator, tensors[2], made) if len(tensors) == 3 else None
    if bias is not None and bias.shape[0] == 2:
        with np.errstate(all="ignore"):  # what overflows here would overflow in the sum
            kernel = kernel * bias[1].reshape(-1, 1, 1, 1)
            bias = bias[:1] * bias[1:]
    inputs.append(builder.constant(kernel, weights.name))
    if bias is not None:
        inputs.append(builder.constant(bias[0], tensors[2].name))
    add_activated(
        builder,
        "Conv",
        inputs,
        y,
        options.activation,
        group=channels // reads,
        kernel_shape=list(options.window.kernel),
        strides=list(options.window.strides),
        dilations=list(options.window.dilations),
        pads=list(options.window.pads),
    )


def _read_bias(builder: GraphBuilder, operator: VendorOperator, tensor: VendorTensor, channels: int) -> np.ndarray:
    """Return [bias] or, where it is not all ones, [bias, factor of the sum]: the vendor's bias is [2, C]."""
    bias = builder.read(tensor)
    if bias.shape not in ((channels,), (1, channels), (2, channels)):
        raise ModelError(
            f"{builder.model.path}: {operator.describe()}: bias {tensor.name!r} has shape {list(tensor.shape)}, "
            f"expected [2, {channels}]",
            "the file is damaged, or of another SDK: convert the model again",
        )
    bias = bias.reshape(-1, channels)
    return bias if bias.shape[0] == 2 and (bias[1] != 1).any() else bias[:1]


def _mismatch(builder: GraphBuilder, operator: VendorOperator, x: VendorTensor, weights: VendorTensor) -> ModelError:
    """Return the error for weights that do not fit the image."""
    return ModelError(
        f"{builder.model.path}: {operator.describe()}: weights {weights.name!r} of shape {list(weights.shape)} do not "
        f"fit {x.name!r} of shape {list(x.shape)}",
        "the file is damaged: copy it again in binary mode, or convert the model again",
    )


def translate_transposed(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append a TRANSPOSE_CONV: output shape, weights [O,kh,kw,I], x; the stride spreads the input."""
    tensors = builder.take(operator, 3, 4)
    weights, x = tensors[1:3]
    activation = read_fused_activation(operator, 3, builder.model.path)
    y = builder.output(operator)
    if len(x.shape) != 4 or len(weights.shape) != 4 or len(y.shape) != 4 or weights.shape[3] != x.shape[3]:
        raise _mismatch(builder, operator, x, weights)
    options = operator.options
    strides = [options.integer(2, default=1), options.integer(1, default=1)]
    kernel = list(weights.shape[1:3])
    totals = [(x.shape[a + 1] - 1) * strides[a] + kernel[a] - y.shape[a + 1] for a in range(2)]
    if y.shape[0] != x.shape[0] or y.shape[3] != weights.shape[0] or min(strides) < 1 or min(totals) < 1 - max(strides):
        raise _mismatch(builder, operator, x, weights)
    before = [max(total, 0) // 2 if options.integer(0, "b") == 0 else 0 for total in totals]
    after = [max(total, 0) - start for total, start in zip(totals, before, strict=True)]
    inputs = [builder.value(x), builder.constant(builder.read(weights).transpose(3, 0, 1, 2), weights.name)]
    if len(tensors) == 4:
        inputs.append(builder.constant(_read_bias(builder, operator, tensors[3], y.shape[3])[0], tensors[3].name))
    extra = [max(-total, 0) for total in totals]
    pads = [*before, *after]
    add_activated(
        builder,
        "ConvTranspose",
        inputs,
        y,
        activation,
        kernel_shape=kernel,
        strides=strides,
        pads=pads,
        output_padding=extra,
    )


def translate_dilation(builder: GraphBuilder, operator: VendorOperator) -> None:
    """Append a Dilation: zeros inserted between neighbours, then zeros around; with a convolution, a transposed one."""
    x, outer, inner = builder.take(operator, 3)
    y = builder.output(operator)
    pads = builder.read_integers(outer)
    gaps = builder.read_integers(inner)
    if len(x.shape) != 4 or len(pads) != 8 or len(gaps) != 4 or min(*pads, *gaps) < 0 or gaps[0] or gaps[3]:
        raise builder.refuse(operator, f"inserts {gaps} and pads {pads}: only height and width can be spread")
    n, h, w, c = x.shape
    spread = [size + (size - 1) * gap for size, gap in zip((h, w), gaps[1:3], strict=True)]
    inner_shape = (n, *spread, c)
    builder.expect(operator, y, [size + pads[2 * i] + pads[2 * i + 1] for i, size in enumerate(inner_shape)])
    # [n,c,h,1,w,1] padded behind each element; what is inserted behind the last one is cut by a negative pad.
    apart = builder.integers([n, c, h, 1, w, 1], f"{x.name}/apart")
    cells = builder.apply("Reshape", [builder.value(x), apart], x.name)
    behind = builder.integers([0, 0, 0, 0, 0, 0, 0, 0, 0, gaps[1], 0, gaps[2]], f"{x.name}/behind")
    cells = builder.apply("Pad", [cells, behind], x.name)
    joined = builder.integers([n, c, h * (1 + gaps[1]), w * (1 + gaps[2])], f"{x.name}/joined")
    image = builder.apply("Reshape", [cells, joined], x.name)
    around = [pads[0], pads[6], pads[2], pads[4], pads[1], pads[7], pads[3] - gaps[1], pads[5] - gaps[2]]
    builder.add("Pad", [image, builder.integers(around, f"{x.name}/around")], [builder.bind(y)])


OPERATORS = {
    "CONV_2D": translate_convolution,
    "DEPTHWISE_CONV_2D": translate_convolution,
    "TRANSPOSE_CONV": translate_transposed,
    "Dilation": translate_dilation,
}
