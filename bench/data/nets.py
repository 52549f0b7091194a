"""Build an ONNX model of a well-known shape with deterministic random weights.

    python -m bench.data.nets OUT.onnx mobilenet|resnet|unet SIZE [--width N] [--depth N]

As exporters leave them: batch norm folded into the convolutions, shapes on every tensor. NCHW input ``image`` of SIZE x
SIZE with 3 channels.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, shape_inference

MOBILENET = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
RESNET = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))


class Builder:
    """A graph that grows; every method adds nodes and returns the name of their output."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.rng = np.random.default_rng(7)

    def add_node(self, op: str, inputs: list[str], **attributes: object) -> str:
        """Add one node."""
        name = f"/{op.lower()}{len(self.nodes)}/{op}"
        self.nodes.append(helper.make_node(op, inputs, [f"{name}_output_0"], name=name, **attributes))
        return f"{name}_output_0"

    def add_weight(self, array: np.ndarray) -> str:
        """Add an initialiser."""
        self.weights.append(numpy_helper.from_array(array, f"weight{len(self.weights)}"))
        return self.weights[-1].name

    def draw(self, shape: tuple[int, ...], fan_in: int, gain: float = 2.0) -> str:
        """Add random weights that keep the variance of what passes through them."""
        spread = np.float32((gain / fan_in) ** 0.5)
        return self.add_weight(self.rng.standard_normal(shape, np.float32) * spread)

    def conv(self, x: str, cin: int, cout: int, kernel: int, stride: int = 1, group: int = 1, gain: float = 2.0) -> str:
        """Add a convolution with bias and same padding."""
        fan_in = cin // group * kernel * kernel
        weights = self.draw((cout, cin // group, kernel, kernel), fan_in, gain)
        bias = self.draw((cout,), 1, 0.01)
        pads, shape = [kernel // 2] * 4, [kernel, kernel]
        strides = [stride, stride]
        return self.add_node("Conv", [x, weights, bias], kernel_shape=shape, strides=strides, pads=pads, group=group)

    def relu(self, x: str) -> str:
        """Add a relu."""
        return self.add_node("Relu", [x])

    def relu6(self, x: str) -> str:
        """Add a clip to 0..6."""
        limits = [self.add_weight(np.array(limit, np.float32)) for limit in (0, 6)]
        return self.add_node("Clip", [x, *limits])

    def classify(self, x: str, channels: int, classes: int) -> str:
        """Add global pooling and a fully connected layer."""
        x = self.add_node("Flatten", [self.add_node("GlobalAveragePool", [x])], axis=1)
        return self.add_node("Gemm", [x, self.draw((channels, classes), channels), self.draw((classes,), 1, 0.01)])


def build_mobilenet(net: Builder, x: str, width: int) -> str:
    """Add MobileNetV2's layers: inverted residuals with depthwise convolutions; ``width`` channels in the stem."""
    scale = width / 32
    channels = width
    x = net.relu6(net.conv(x, 3, channels, 3, 2))
    for expand, wide, count, first_stride in MOBILENET:
        for index in range(count):
            out, stride = max(8, int(wide * scale)), first_stride if index == 0 else 1
            hidden = channels * expand
            y = net.relu6(net.conv(x, channels, hidden, 1)) if expand > 1 else x
            y = net.relu6(net.conv(y, hidden, hidden, 3, stride, group=hidden))
            y = net.conv(y, hidden, out, 1, gain=1.0)
            x = net.add_node("Add", [x, y]) if stride == 1 and channels == out else y
            channels = out
    head = 40 * width
    return net.classify(net.relu6(net.conv(x, channels, head, 1)), head, 1000)


def build_resnet(net: Builder, x: str, width: int) -> str:
    """Add ResNet50's layers: bottlenecks; ``width`` channels in the stem."""
    x = net.relu(net.conv(x, 3, width, 7, 2))
    x = net.add_node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels = width
    for wide, count, first_stride in RESNET:
        inner = wide * width // 64
        for index in range(count):
            stride = first_stride if index == 0 else 1
            y = net.relu(net.conv(x, channels, inner, 1))
            y = net.relu(net.conv(y, inner, inner, 3, stride))
            y = net.conv(y, inner, 4 * inner, 1, gain=0.2)
            shortcut = x if index else net.conv(x, channels, 4 * inner, 1, stride, gain=1.0)
            x = net.relu(net.add_node("Add", [shortcut, y]))
            channels = 4 * inner
    return net.classify(x, channels, 1000)


def build_unet(net: Builder, x: str, width: int, levels: int = 4) -> str:
    """Add a UNet of four levels, two convolutions each; ``width`` channels at full size, doubled on every level."""
    channels, skips = 3, []
    for level in range(levels + 1):
        out = width << level
        x = net.relu(net.conv(net.relu(net.conv(x, channels, out, 3)), out, out, 3))
        channels = out
        if level < levels:
            skips.append(x)
            x = net.add_node("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2])
    for skip in reversed(skips):
        out = channels // 2
        weights, bias = net.draw((channels, out, 2, 2), channels, 1.0), net.draw((out,), 1, 0.01)
        x = net.add_node("ConvTranspose", [x, weights, bias], kernel_shape=[2, 2], strides=[2, 2])
        x = net.add_node("Concat", [skip, x], axis=1)
        x = net.relu(net.conv(net.relu(net.conv(x, channels, out, 3)), out, out, 3))
        channels = out
    return net.conv(x, channels, 2, 1)


NETS = {"mobilenet": (build_mobilenet, 32), "resnet": (build_resnet, 64), "unet": (build_unet, 32)}


def build_net(kind: str, size: int, width: int | None = None) -> onnx.ModelProto:
    """Return a model of one of the kinds; ``width`` scales its channels."""
    build, usual = NETS[kind]
    net = Builder()
    last = build(net, "image", width or usual)
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, size, size])
    output = helper.make_empty_tensor_value_info(last)
    output.type.tensor_type.elem_type = TensorProto.FLOAT
    graph = helper.make_graph(net.nodes, kind, [image], [output], net.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return shape_inference.infer_shapes(model, strict_mode=True)


def count_activations(model: onnx.ModelProto) -> int:
    """Return the bytes of all tensors that the nodes of a model with shapes produce."""
    total = 0
    for info in [*model.graph.value_info, *model.graph.output]:
        total += 4 * int(np.prod([dim.dim_value for dim in info.type.tensor_type.shape.dim]))
    return total


def main() -> None:
    """Write the model and print the bytes of its activations."""
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("kind", choices=NETS)
    parser.add_argument("size", type=int)
    parser.add_argument("--width", type=int)
    options = parser.parse_args()
    model = build_net(options.kind, options.size, options.width)
    onnx.checker.check_model(model)
    onnx.save(model, options.out)
    print(count_activations(model))


if __name__ == "__main__":
    main()
