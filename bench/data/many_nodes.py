"""Build an ONNX model of many nodes, with a fault planted in every hundredth block.

    python -m bench.data.many_nodes OUT.onnx convolutions|attention NODES

Every block has five nodes; the number of planted faults is stored in the model's metadata as ``planted``.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

EVERY = 100
"""Blocks from one fault to the next."""


def build(kind: str, count: int) -> onnx.ModelProto:
    """Return a model of ``count`` nodes, five to a block."""
    blocks = {"convolutions": add_convolutions, "attention": add_attention}
    nodes: list[onnx.NodeProto] = []
    weights: list[onnx.TensorProto] = []
    name, planted = "x", 0
    for block in range(count // 5):
        faulty = block % EVERY == EVERY // 2
        planted += faulty
        name = blocks[kind](nodes, weights, name, block, faulty)
    shape = [1, 8, 16, 16] if kind == "convolutions" else [1, 16, 8]
    fed, made = (helper.make_tensor_value_info(item, TensorProto.FLOAT, shape) for item in ("x", name))
    weights += [
        numpy_helper.from_array(np.ones(8, np.float32), "ones"),
        numpy_helper.from_array(np.ones(4, np.float32), "scales"),
    ]
    graph = helper.make_graph(nodes, kind, [fed], [made], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"planted": str(planted)})
    return model


def add_convolutions(
    nodes: list[onnx.NodeProto], weights: list[onnx.TensorProto], x: str, block: int, faulty: bool
) -> str:
    """Add a block of Conv, Relu, AveragePool, Add and Resize; a fault is a Resize mode."""
    names = [f"/block{block}/{op}" for op in ("Conv", "Relu", "AveragePool", "Add", "Resize")]
    weights.append(numpy_helper.from_array(np.ones((8, 8, 1, 1), np.float32), f"w{block}"))
    mode = {"mode": "cubic" if faulty else "nearest", "coordinate_transformation_mode": "asymmetric"}
    nodes += [
        helper.make_node("Conv", [x, f"w{block}"], names[0:1], names[0], kernel_shape=[1, 1], strides=[1, 1]),
        helper.make_node("Relu", names[0:1], names[1:2], names[1]),
        helper.make_node("AveragePool", names[1:2], names[2:3], names[2], kernel_shape=[3, 3], pads=[1] * 4),
        helper.make_node("Add", names[1:3], names[3:4], names[3]),
        helper.make_node("Resize", [names[3], "", "scales"], names[4:5], names[4], **mode),
    ]
    return names[4]


def add_attention(
    nodes: list[onnx.NodeProto], weights: list[onnx.TensorProto], x: str, block: int, faulty: bool
) -> str:
    """Add a block of LayerNormalization, MatMul, Transpose, Transpose, Add; a fault normalises all dimensions."""
    names = [f"/block{block}/{op}" for op in ("LayerNormalization", "MatMul", "Swap", "SwapBack", "Add")]
    weights.append(numpy_helper.from_array(np.ones((8, 8), np.float32), f"w{block}"))
    axis = -3 if faulty else -1
    nodes += [
        helper.make_node("LayerNormalization", [x, "ones"], names[0:1], names[0], axis=axis),
        helper.make_node("MatMul", [names[0], f"w{block}"], names[1:2], names[1]),
        helper.make_node("Transpose", names[1:2], names[2:3], names[2], perm=[0, 2, 1]),
        helper.make_node("Transpose", names[2:3], names[3:4], names[3], perm=[0, 2, 1]),
        helper.make_node("Add", [x, names[3]], names[4:5], names[4]),
    ]
    return names[4]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("kind", choices=("convolutions", "attention"))
    parser.add_argument("nodes", type=int)
    arguments = parser.parse_args()
    onnx.save(build(arguments.kind, arguments.nodes), arguments.out)
