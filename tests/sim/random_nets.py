"""Draws small nets with everything in them that a conversion touches."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper


class RandomNet:
    """A net that grows by one random block at a time; ``live`` are its 4-D tensors with their shapes."""

    def __init__(self, seed: int) -> None:
        self.source = np.random.default_rng(seed)
        self.opset = int(self.source.choice([9, 11, 13, 17]))
        channels, size = int(self.source.integers(1, 4)), int(self.source.integers(6, 10))
        self.batch = "batch" if self.source.random() < 0.5 else 1
        self.input = helper.make_tensor_value_info("image", TensorProto.FLOAT, [self.batch, channels, size, size])
        self.live = {"image": (1, channels, size, size)}
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.outputs: list[str] = []
        self.count = 0

    def build(self, blocks: int) -> ModelProto:
        """Return the model after that many blocks and a head."""
        names = [name for name in dir(self) if name.startswith("add_")]
        for _ in range(blocks):
            name = self.pick(list(self.live))
            made, shape = getattr(self, self.pick(names))(name, self.live[name])
            self.live[made] = shape
            if self.source.random() < 0.1:
                self.outputs.append(made)
        self.head(list(self.live)[-1])
        outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in dict.fromkeys(self.outputs)]
        graph = helper.make_graph(self.nodes, "random", [self.input], outputs, self.weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8)

    def pick(self, items: list[Any]) -> Any:
        return items[int(self.source.integers(len(items)))]

    def name(self, kind: str) -> str:
        self.count += 1
        return f"{kind}_{self.count}"

    def node(self, op: str, *inputs: str, **attributes: Any) -> str:
        made = self.name(op.lower())
        label = made + "_node" if self.source.random() < 0.8 else ""
        self.nodes.append(helper.make_node(op, inputs, [made], name=label, **attributes))
        return made

    def weight(self, values: Any, dtype: Any = np.float32) -> str:
        """Return a constant: an initializer, a Constant node, or the result of a chain of constant nodes."""
        array = np.asarray(values, dtype)
        way = self.source.random()
        if way < 0.6:
            self.weights.append(numpy_helper.from_array(array, self.name("w")))
            return str(self.weights[-1].name)
        if way < 0.8 or array.dtype != np.float32:
            return self.node("Constant", value=numpy_helper.from_array(array))
        half = self.node("Constant", value=numpy_helper.from_array(array * np.float32(0.5)))
        return self.node("Add", half, self.node("Identity", half))

    def normal(self, *shape: int) -> np.ndarray:
        return self.source.standard_normal(shape) / np.sqrt(max(1, int(np.prod(shape[1:]))))

    def add_conv(self, x: str, shape: tuple[int, ...]) -> Any:
        n, c, h, w = shape
        group = self.pick([1, c])
        out = group * int(self.source.integers(1, 4))
        kernel, stride = self.pick([1, 3]), self.pick([1, 1, 2])
        inputs = [x, self.weight(self.normal(out, c // group, kernel, kernel))]
        if self.source.random() < 0.5:
            inputs.append(self.weight(self.normal(out)))
        pad = kernel // 2
        attributes = {"group": group, "kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [pad] * 4}
        return self.node("Conv", *inputs, **attributes), (n, out, -(-h // stride), -(-w // stride))

    def add_conv_with_norm(self, x: str, shape: tuple[int, ...]) -> Any:
        made, made_shape = self.add_conv(x, shape)
        if self.source.random() < 0.2:
            self.live[made] = made_shape  # another may read it, and the batch norm has to stay
        if self.source.random() < 0.1:
            self.outputs.append(made)
        return self.norm(made, made_shape)

    def add_transposed_conv_with_norm(self, x: str, shape: tuple[int, ...]) -> Any:
        n, c, h, w = shape
        if h > 20:
            return self.add_relu(x, shape)
        group = self.pick([1, c])
        each = int(self.source.integers(1, 3))
        inputs = [x, self.weight(self.normal(c, each, 2, 2))]
        if self.source.random() < 0.5:
            inputs.append(self.weight(self.normal(group * each)))
        made = self.node("ConvTranspose", *inputs, group=group, kernel_shape=[2, 2], strides=[2, 2])
        return self.norm(made, (n, group * each, 2 * h, 2 * w))

    def norm(self, x: str, shape: tuple[int, ...]) -> Any:
        c = shape[1]
        values = (self.normal(c) + 1, self.normal(c), self.normal(c), self.source.uniform(0.2, 2, c))
        epsilon = float(self.pick([1e-5, 1e-3]))
        return self.node("BatchNormalization", x, *map(self.weight, values), epsilon=epsilon), shape

    def add_norm(self, x: str, shape: tuple[int, ...]) -> Any:
        return self.norm(x, shape)

    def add_relu(self, x: str, shape: tuple[int, ...]) -> Any:
        return self.node(self.pick(["Relu", "Sigmoid", "LeakyRelu"]), x), shape

    def add_sum(self, x: str, shape: tuple[int, ...]) -> Any:
        equal = [name for name, other in self.live.items() if other == shape]
        return self.node(self.pick(["Add", "Mul"]), x, self.pick(equal)), shape

    def add_concat(self, x: str, shape: tuple[int, ...]) -> Any:
        n, c, h, w = shape
        fitting = [name for name, other in self.live.items() if other[2:] == (h, w) and other[1] + c < 40]
        others = [self.pick(fitting)] if fitting else []
        return self.node("Concat", x, *others, axis=1), (n, c + sum(self.live[name][1] for name in others), h, w)

    def add_pool(self, x: str, shape: tuple[int, ...]) -> Any:
        n, c, h, w = shape
        op = self.pick(["MaxPool", "AveragePool"])
        return self.node(op, x, kernel_shape=[3, 3], pads=[1] * 4, strides=[2, 2]), (n, c, -(-h // 2), -(-w // 2))

    def add_nothing(self, x: str, shape: tuple[int, ...]) -> Any:
        op = self.pick(["Identity", "Dropout", "Cast", "Transpose", "Pad", "Reshape", "Concat"])
        if op == "Cast":
            return self.node(op, x, to=TensorProto.FLOAT), shape
        if op == "Transpose":
            return self.node(op, x, perm=[0, 1, 2, 3]), shape
        if op == "Concat":
            return self.node(op, x, axis=1), shape
        if op == "Pad":
            return self.pad(x, [0] * 8), shape
        if op == "Reshape":
            return self.node(op, x, self.node("Shape", x)), shape
        return self.node(op, x), shape

    def add_border(self, x: str, shape: tuple[int, ...]) -> Any:
        n, c, h, w = shape
        return self.pad(x, [0, 0, 1, 0, 0, 0, 0, 1]), (n, c, h + 1, w + 1)

    def pad(self, x: str, pads: list[int]) -> str:
        return self.node("Pad", x, self.weight(pads, np.int64)) if self.opset >= 11 else self.node("Pad", x, pads=pads)

    def add_shape_arithmetic(self, x: str, shape: tuple[int, ...]) -> Any:
        n, c, h, w = shape
        dims = [self.node("Gather", self.node("Shape", x), self.weight([axis], np.int64)) for axis in range(4)]
        area = self.node("Mul", dims[2], dims[3])
        flat = self.node("Reshape", x, self.node("Concat", dims[0], dims[1], area, axis=0))
        back = self.node("Concat", self.weight([0, 0], np.int64), dims[3], dims[2], axis=0)
        return self.node("Reshape", flat, back), (n, c, w, h)

    def head(self, x: str) -> None:
        n, c, h, w = self.live[x]
        axes = self.node("Concat", self.node("Gather", self.node("Shape", x), self.weight([0], np.int64)),
                         self.weight([-1], np.int64), axis=0)  # fmt: skip
        features, size, classes = self.node("Reshape", x, axes), c * h * w, 5
        across = self.pick([0, 1])
        weights = self.normal(classes, size) if across else self.normal(classes, size).T
        bias = self.weight(self.normal(self.pick([1, classes])))
        made = self.node("Gemm", features, self.weight(weights), bias, transB=across, alpha=0.7, beta=1.3)
        if self.source.random() < 0.5:
            made, _ = self.norm(made, (n, classes))
        self.outputs.append(self.node("Softmax", made, axis=1))
        if self.source.random() < 0.3:
            self.outputs.append(self.node("Identity", made))
