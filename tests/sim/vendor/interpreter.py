"""A plain interpreter of an integer graph, node by node: kernels for our domain, onnxruntime for the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

from ipudebug.sim.kernels import KERNELS
from ipudebug.tensor import Layout, Tensor, TensorInfo, to_nhwc


def interpret(
    model: onnx.ModelProto, feed: Mapping[str, np.ndarray], given: Mapping[str, np.ndarray] | None = None
) -> Iterator[Tensor]:
    """Yield what every node makes, 4-D tensors NHWC; ``given`` (NCHW) takes the place of what a node made."""
    values = dict(feed) | {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for node in model.graph.node:
        inputs = [values[name] for name in node.input if name]
        for name, array in zip(node.output, compute(model, node, inputs), strict=True):
            values[name] = array if given is None else given.get(name, array)
            layout = Layout.NCHW if array.ndim == 4 else None
            yield to_nhwc(Tensor(TensorInfo(name, array.shape, array.dtype, layout=layout), array))


def compute(model: onnx.ModelProto, node: onnx.NodeProto, inputs: list[np.ndarray]) -> list[np.ndarray]:
    if node.domain == "ipudebug":
        attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        return KERNELS[node.op_type.lower()].compute(inputs, attributes)
    names = [name for name in node.input if name]
    feeds = dict(zip(names, inputs, strict=True))
    declared = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in feeds.items()
    ]
    made = [onnx.ValueInfoProto(name=name) for name in node.output]
    graph = helper.make_graph([node], "node", declared, made)
    whole = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = onnxruntime.InferenceSession(whole.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, feeds)
