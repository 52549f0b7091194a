"""Networks to plant faults into: random residual, branching and encoder-decoder nets, and trained ones if at hand."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, version_converter

from bench.data.nets import Builder, build_net

IMAGE = "image"


class RandomBuilder(Builder):
    """A Builder whose weights follow a seed and whose convolutions have biases that matter."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.rng = np.random.default_rng(seed)

    def conv(self, x: str, cin: int, cout: int, kernel: int, stride: int = 1, group: int = 1, gain: float = 2.0) -> str:
        """Add a convolution with bias and same padding."""
        fan_in = cin // group * kernel * kernel
        weights = self.draw((cout, cin // group, kernel, kernel), fan_in, gain)
        bias = self.draw((cout,), 1, 0.1)
        pads, shape, strides = [kernel // 2] * 4, [kernel, kernel], [stride, stride]
        return self.add_node("Conv", [x, weights, bias], kernel_shape=shape, strides=strides, pads=pads, group=group)

    def average(self, x: str) -> str:
        """Add an average pool of 2 x 2."""
        return self.add_node("AveragePool", [x], kernel_shape=[2, 2], strides=[2, 2])

    def leaky(self, x: str) -> str:
        """Add a rectifier of one of three kinds."""
        kind = int(self.rng.integers(3))
        return self.relu(x) if kind == 0 else self.relu6(x) if kind == 1 else self.add_node("LeakyRelu", [x], alpha=0.1)


def build_residual(seed: int) -> onnx.ModelProto:
    """Return a net of residual blocks with pools between them, and a classifier."""
    net = RandomBuilder(seed)
    width = int(net.rng.choice([8, 12, 16]))
    x = net.relu(net.conv(IMAGE, 3, width, 3))
    for stage in range(3):
        for _ in range(int(net.rng.integers(1, 3))):
            y = net.leaky(net.conv(x, width, width, 3))
            y = net.conv(y, width, width, 3, group=width if net.rng.random() < 0.3 else 1, gain=0.5)
            x = net.leaky(net.add_node("Add", [x, y]))
        if stage < 2:
            wider = width * 2
            x = (
                net.relu(net.conv(x, width, wider, 3, 2))
                if net.rng.random() < 0.5
                else net.conv(net.average(x), width, wider, 1)
            )
            width = wider
    return _finish(net, net.add_node("Softmax", [net.classify(x, width, 10)], axis=1), 32)


def build_branching(seed: int) -> onnx.ModelProto:
    """Return a net of parallel branches that are concatenated, two outputs of different depth joined by a product."""
    net = RandomBuilder(seed)
    width = 12
    x = net.relu(net.conv(IMAGE, 3, width, 5, 2))
    for _ in range(int(net.rng.integers(2, 4))):
        part = width // 3 + 4
        left = net.leaky(net.conv(x, width, part, 1))
        middle = net.leaky(net.conv(net.relu(net.conv(x, width, part, 1)), part, part, 3))
        pooled = net.add_node("MaxPool", [x], kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1])
        right = net.leaky(net.conv(pooled, width, part, 1))
        x = net.add_node("Concat", [left, middle, right], axis=1)
        width = 3 * part
    gate = net.add_node("Sigmoid", [net.conv(x, width, width, 1, gain=0.5)])
    x = net.add_node("Mul", [x, gate])
    return _finish(net, net.conv(x, width, 6, 1), 40)


def build_mobile(seed: int) -> onnx.ModelProto:
    """Return a small net of inverted residuals with depthwise convolutions."""
    net = RandomBuilder(seed)
    width = 12
    x = net.relu6(net.conv(IMAGE, 3, width, 3, 2))
    for stride, wider in ((1, 12), (2, 20), (1, 20), (1, 20), (2, 28)):
        hidden = 3 * width
        y = net.relu6(net.conv(x, width, hidden, 1))
        y = net.relu6(net.conv(y, hidden, hidden, 3, stride, group=hidden))
        y = net.conv(y, hidden, wider, 1, gain=1.0)
        x = net.add_node("Add", [x, y]) if stride == 1 and width == wider else y
        width = wider
    return _finish(net, net.classify(net.relu6(net.conv(x, width, 64, 1)), 64, 10), 48)


def build_unet(seed: int) -> onnx.ModelProto:
    """Return an encoder-decoder with skip connections."""
    net = RandomBuilder(seed)
    channels, skips, x = 3, [], IMAGE
    for level in range(3):
        out = 8 << level
        x = net.leaky(net.conv(x, channels, out, 3))
        channels = out
        if level < 2:
            skips.append(x)
            x = net.add_node("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2])
    for skip in reversed(skips):
        scales = net.add_weight(np.array([1, 1, 2, 2], np.float32))
        x = net.add_node(
            "Resize", [x, "", scales], mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"
        )
        x = net.add_node("Concat", [skip, x], axis=1)
        channels += channels // 2
        out = channels // 3
        x = net.leaky(net.conv(x, channels, out, 3))
        channels = out
    return _finish(net, net.conv(x, channels, 2, 1), 32)


BUILDERS = {"residual": build_residual, "branching": build_branching, "mobile": build_mobile, "unet": build_unet}
DEMO = files("ipudebug.demo") / "model.onnx"
TRAINED = ("version-RFB-320_simplified.onnx", "mobilenet_v2_0.35_128_tfs_channel_first.onnx")


def find_nets(reference: Path | None, seeds: range) -> Iterator[tuple[str, onnx.ModelProto]]:
    """Yield name and model of every net: each random kind for each seed, and the trained ones of a folder."""
    for seed in seeds:
        for name, build in BUILDERS.items():
            yield f"{name}-{seed}", build(seed)
    yield "resnet", build_net("resnet", 48, 16)
    yield "demo", _fix_batch(onnx.load(str(DEMO)))
    for file in TRAINED:
        if reference is not None and (reference / file).is_file():
            yield file.partition("_")[0], _fix_batch(onnx.load(reference / file))


def make_image(model: onnx.ModelProto, seed: int) -> np.ndarray:
    """Return an input like a photograph, normalised: smooth areas, edges, a little noise; float32 NCHW, about -1..1."""
    rng = np.random.default_rng(seed)
    shape = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]
    _, channels, height, width = shape
    small = rng.random((channels, 5, 5))
    rows, columns = np.linspace(0, 3.999, height), np.linspace(0, 3.999, width)
    y, x = rows.astype(int), columns.astype(int)
    fy, fx = (rows - y)[:, None], (columns - x)[None]
    smooth = (
        small[:, y][:, :, x] * (1 - fy) * (1 - fx)
        + small[:, y + 1][:, :, x] * fy * (1 - fx)
        + small[:, y][:, :, x + 1] * (1 - fy) * fx
        + small[:, y + 1][:, :, x + 1] * fy * fx
    )
    for _ in range(6):
        top, left = int(rng.integers(height - 4)), int(rng.integers(width - 4))
        smooth[:, top : top + height // 4, left : left + width // 4] += rng.normal(0, 0.25, (channels, 1, 1))
    pixels = np.clip(smooth * 200 + 25 + rng.normal(0, 6, smooth.shape), 0, 255).round()
    return ((pixels - 127.5) / 127.5).astype(np.float32)[None]


def _finish(net: Builder, last: str, size: int) -> onnx.ModelProto:
    """Return the model of a finished net."""
    image = helper.make_tensor_value_info(IMAGE, TensorProto.FLOAT, [1, 3, size, size])
    output = helper.make_empty_tensor_value_info(last)
    output.type.tensor_type.elem_type = TensorProto.FLOAT
    graph = helper.make_graph(net.nodes, "net", [image], [output], net.weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def _fix_batch(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model of opset 13 with a batch of one and its weights no longer listed among the inputs."""
    weights = {weight.name for weight in model.graph.initializer}
    real = [value for value in model.graph.input if value.name not in weights]
    del model.graph.input[:]
    model.graph.input.extend(real)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    return version_converter.convert_version(model, 13) if model.opset_import[0].version < 13 else model
