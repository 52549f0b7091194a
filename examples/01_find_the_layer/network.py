"""The network: its layers in torch, for training, and the same layers as an ONNX graph with readable names."""

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

CLASSES = 10
OPSET, IR_VERSION = 13, 8  # onnxruntime 1.17 reads both


class DigitNet(nn.Module):
    """[N, 3, 32, 32] -> [N, 10] logits; a layer's name here is its name in the ONNX file."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)
        self.conv2_dw, self.bn2 = nn.Conv2d(16, 16, 3, 2, 1, groups=16, bias=False), nn.BatchNorm2d(16)
        self.conv3, self.bn3 = nn.Conv2d(16, 32, 1, bias=False), nn.BatchNorm2d(32)
        self.conv4, self.bn4 = nn.Conv2d(32, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32)
        self.conv5_dw, self.bn5 = nn.Conv2d(32, 32, 3, padding=1, groups=32, bias=False), nn.BatchNorm2d(32)
        self.conv6a = nn.Conv2d(32, 16, 1)
        self.conv6b = nn.Conv2d(32, 32, 3, padding=1)
        self.conv7, self.bn7 = nn.Conv2d(48, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64)
        self.fc = nn.Linear(64, CLASSES)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the logits."""
        relu1 = self.bn1(self.conv1(image)).relu()
        relu2 = self.bn2(self.conv2_dw(relu1)).clamp(0, 6)
        relu3 = self.bn3(self.conv3(relu2)).relu()
        relu4 = self.bn4(self.conv4(relu3)).relu()
        relu5 = (self.bn5(self.conv5_dw(relu4)) + relu3).relu()
        pool5 = nn.functional.max_pool2d(relu5, 2)
        concat6 = torch.cat([self.conv6a(pool5).relu(), self.conv6b(pool5).relu()], 1)
        relu7 = self.bn7(self.conv7(concat6)).relu()
        return self.fc(relu7.mean((2, 3)))


class GraphWriter:
    """Collects nodes and weights; a node's name is also the name of the tensor that it makes."""

    def __init__(self, net: DigitNet) -> None:
        self.net = net
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def add_weight(self, name: str, value: torch.Tensor | np.ndarray | float) -> str:
        """Add a float32 constant and return its name."""
        array = value.detach().numpy() if isinstance(value, torch.Tensor) else np.asarray(value, np.float32)
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def add_node(self, op_type: str, name: str, *inputs: str, **attributes: object) -> str:
        """Add a node and return its name, which is its output's."""
        self.nodes.append(helper.make_node(op_type, list(inputs), [name], name, **attributes))
        return name

    def add_conv(self, name: str, source: str) -> str:
        """Add the torch layer of that name as a Conv node."""
        layer = getattr(self.net, name)
        inputs = [source, self.add_weight(f"{name}.weight", layer.weight)]
        if layer.bias is not None:
            inputs.append(self.add_weight(f"{name}.bias", layer.bias))
        pad = layer.padding[0]
        geometry = {"kernel_shape": layer.kernel_size, "strides": layer.stride, "pads": [pad] * 4}
        return self.add_node("Conv", name, *inputs, group=layer.groups, **geometry)

    def add_norm(self, name: str, source: str) -> str:
        """Add the torch layer of that name as a BatchNormalization node."""
        layer = getattr(self.net, name)
        parts = {"scale": layer.weight, "bias": layer.bias, "mean": layer.running_mean, "var": layer.running_var}
        inputs = [self.add_weight(f"{name}.{part}", value) for part, value in parts.items()]
        return self.add_node("BatchNormalization", name, source, *inputs, epsilon=layer.eps)


def build_model(net: DigitNet) -> onnx.ModelProto:
    """Return the trained network as a checked ONNX model with a shape on every tensor and a batch of 1."""
    graph = GraphWriter(net.eval())
    node, conv, norm = graph.add_node, graph.add_conv, graph.add_norm
    node("Relu", "relu1", norm("bn1", conv("conv1", "image")))
    limits = graph.add_weight("relu2.min", 0.0), graph.add_weight("relu2.max", 6.0)
    node("Clip", "relu2", norm("bn2", conv("conv2_dw", "relu1")), *limits)
    node("Relu", "relu3", norm("bn3", conv("conv3", "relu2")))
    node("Relu", "relu4", norm("bn4", conv("conv4", "relu3")))
    node("Relu", "relu5", node("Add", "add5", norm("bn5", conv("conv5_dw", "relu4")), "relu3"))
    node("MaxPool", "pool5", "relu5", kernel_shape=[2, 2], strides=[2, 2])
    node("Relu", "relu6a", conv("conv6a", "pool5"))
    node("Relu", "relu6b", conv("conv6b", "pool5"))
    node("Concat", "concat6", "relu6a", "relu6b", axis=1)
    node("Relu", "relu7", norm("bn7", conv("conv7", "concat6")))
    node("Flatten", "flatten", node("GlobalAveragePool", "pool7", "relu7"), axis=1)
    gemm = graph.add_weight("fc.weight", net.fc.weight), graph.add_weight("fc.bias", net.fc.bias)
    node("Gemm", "fc", "flatten", *gemm, transB=1)
    node("Softmax", "prob", "fc", axis=1)
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 32, 32])
    prob = helper.make_tensor_value_info("prob", TensorProto.FLOAT, [1, CLASSES])
    model = helper.make_model(
        helper.make_graph(graph.nodes, "digits", [image], [prob], graph.weights),
        producer_name="ipudebug examples/01_find_the_layer/train.py",
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
    )
    model = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    onnx.checker.check_model(model, full_check=True)
    return model
