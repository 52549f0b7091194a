"""Small ONNX models for the tests, made with the onnx package, which the executor itself does not use."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

FLOAT = onnx.TensorProto.FLOAT
node = helper.make_node
value = helper.make_tensor_value_info


def weight(name: str, array: object, dtype: type = np.float32) -> onnx.TensorProto:
    """Return an initialiser."""
    return numpy_helper.from_array(np.asarray(array, dtype), name)


def save(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[str | onnx.ValueInfoProto],
    weights: Sequence[onnx.TensorProto] = (),
    *,
    opsets: dict[str, int] | None = None,
    ir_version: int = 10,
    functions: Sequence[onnx.FunctionProto] = (),
) -> str:
    """Write a model and return its path; an output given as a name has no type."""
    declared = [onnx.ValueInfoProto(name=out) if isinstance(out, str) else out for out in outputs]
    graph = helper.make_graph(list(nodes), "net", list(inputs), declared, list(weights))
    imports = [helper.make_opsetid(*pair) for pair in (opsets or {"": 21}).items()]
    model = helper.make_model(graph, opset_imports=imports, ir_version=ir_version, functions=list(functions))
    onnx.save(model, path)
    return str(path)


def body(name: str, nodes: Sequence[onnx.NodeProto], inputs: Sequence[onnx.ValueInfoProto], outputs: Sequence[str]):
    """Return a body for an If or a Loop; its outputs have no type but bool for names that begin with ``go``."""
    declared = [
        value(out, onnx.TensorProto.BOOL, []) if out.startswith("go") else value(out, FLOAT, None) for out in outputs
    ]
    return helper.make_graph(list(nodes), name, list(inputs), declared)


def save_random_net(path: Path, seed: int) -> str:
    """Write a net of random layers: residuals, concats, If, Loop, shared weights, Constants, several outputs.

    Input "x" is [1, 4, 6, 5]; every inner feature map has that shape, so that anything may be added to anything.
    """
    random = np.random.default_rng(seed)
    shared = [weight(f"w{i}", random.standard_normal((4, 4, 3, 3)) / 6) for i in range(2)]
    wide = weight("wide", random.standard_normal((4, 8, 13, 13)) / 40)  # above the size that is read by place
    extra = [weight("n", 2, np.int64), weight("zero", 0.0), weight("bias", random.standard_normal((1, 4, 1, 1)))]
    maps, nodes = ["x"], []

    def pick() -> str:
        return maps[int(random.integers(max(0, len(maps) - 4), len(maps)))]

    for i in range(int(random.integers(6, 14))):
        a, b, out = pick(), pick(), f"t{i}"
        name = f"layer {i}" if random.random() < 0.5 else ""
        kind = random.integers(8)
        if kind <= 1:
            nodes.append(node("Conv", [a, f"w{kind}"], [out], name, pads=[1] * 4))
        elif kind == 2:
            nodes.append(node("Concat", [a, b], [f"cat{i}"], axis=1))
            nodes.append(node("Conv", [f"cat{i}", "wide"], [out], name, pads=[6] * 4))
        elif kind == 3:
            nodes.append(node("Constant", [], [f"k{i}"], value=weight("", random.standard_normal((1, 4, 6, 5)))))
            nodes.append(node("Add", [a, f"k{i}"], [out], name))
        elif kind == 4:
            nodes.append(node("ReduceSum", [b], [f"sum{i}"], keepdims=0))
            nodes.append(node("Greater", [f"sum{i}", "zero"], [f"c{i}"]))
            then = body("then", [node("Add", [a, "bias"], ["yes"])], [], ["yes"])
            other = body("else", [node("Mul", [a, b], ["no"])], [], ["no"])
            nodes.append(node("If", [f"c{i}"], [out], name, then_branch=then, else_branch=other))
        elif kind == 5:
            step = [node("Mul", ["state", "bias"], ["m"]), node("Add", ["m", b], ["next"])]
            step.append(node("Identity", ["go"], ["go_on"]))
            state = [value("i", onnx.TensorProto.INT64, []), value("go", onnx.TensorProto.BOOL, [])]
            loop = body("loop", step, [*state, value("state", FLOAT, None)], ["go_on", "next"])
            nodes.append(node("Loop", ["n", "", a], [out], name, body=loop))
        elif kind == 6:
            nodes.append(node("Dropout", [a], [out, f"unused{i}"], name))
        else:
            nodes.append(node("Relu", [a], [f"r{i}"]))
            nodes.append(node("Add", [f"r{i}", b], [out], name))
        maps.append(out)
    outputs = list(dict.fromkeys([maps[-1], maps[len(maps) // 2], maps[-2], "bias"]))

    return save(path, nodes, [value("x", FLOAT, [1, 4, 6, 5])], outputs, [*shared, wide, *extra])
