"""Nodes without an integer form: dequantised, computed on real numbers, quantised again.

Inexact: the chip's own arithmetic for them is not known.

``DequantizeLinear`` and ``QuantizeLinear`` are those of onnxruntime's domain, which know INT16 at every opset. The
latter rounds a half to the even number; with the scale taken out and floor(x + 0.5) before it, it rounds as SPEC 11.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ipudebug.sim.draft import list_bodies, list_reads
from ipudebug.sim.lowering.fixed_graph import FixedGraph, Unit
from ipudebug.sim.network import FloatNode
from ipudebug.sim.quantisation import TensorQuant

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

DOMAIN = "com.microsoft"


def lower_real(node: FloatNode, graph: FixedGraph) -> None:
    """Append a node as it is, with the conversions around it."""
    from onnx import NodeProto

    proto = NodeProto()
    proto.CopyFrom(node.proto)
    nodes: list[NodeProto] = []
    names: dict[str, str] = {}
    for name in dict.fromkeys(list_reads(node.proto)):
        values = graph.network.constant(name)
        if values is not None:
            names[name] = graph.add_constant(f"{name}#real", values)
        elif name in graph.quants:
            names[name] = graph.invent(f"{name}#real")
            nodes.append(dequantise(name, names[name], graph.quants[name], graph))
    rename_reads(proto, names)
    nodes.append(proto)
    for place, name in enumerate(proto.output):
        if name in graph.quants:
            made = graph.invent(f"{name}#real")
            proto.output[place] = made
            nodes += quantise(made, name, graph.quants[name], graph)
    inputs = tuple(name for name in dict.fromkeys(node.inputs) if name and graph.network.constant(name) is None)
    outputs = tuple(name for name in node.outputs if name)
    graph.units.append(Unit(node.proto.op_type, nodes, inputs, outputs, False))


def dequantise(name: str, made: str, quant: TensorQuant, graph: FixedGraph) -> NodeProto:
    """Return the node that makes real numbers of a tensor."""
    from onnx import helper

    constants = [_add_scale(quant.scale, graph), _add_zero(quant, graph)]
    label = f"{made}_DequantizeLinear"
    return helper.make_node("DequantizeLinear", [name, *constants], [made], name=label, domain=DOMAIN)


def quantise(name: str, made: str, quant: TensorQuant, graph: FixedGraph) -> list[NodeProto]:
    """Return the nodes that make a tensor of real numbers: clip(floor(x / scale + 0.5) + zero point)."""
    from onnx import helper

    steps = [name, *(graph.invent(f"{made}#{part}") for part in ("steps", "raised", "floor"))]
    scale, half, one = (_add_scale(np.float32(value), graph) for value in (quant.scale, 0.5, 1))
    return [
        helper.make_node("Div", [steps[0], scale], [steps[1]], name=steps[1]),
        helper.make_node("Add", [steps[1], half], [steps[2]], name=steps[2]),
        helper.make_node("Floor", [steps[2]], [steps[3]], name=steps[3]),
        helper.make_node(
            "QuantizeLinear",
            [steps[3], one, _add_zero(quant, graph)],
            [made],
            name=f"{made}_QuantizeLinear",
            domain=DOMAIN,
        ),
    ]


def _add_scale(scale: np.float32, graph: FixedGraph) -> str:
    """Return the name of a float32 scalar."""
    return graph.add_scalar(np.float32(scale))


def _add_zero(quant: TensorQuant, graph: FixedGraph) -> str:
    """Return the name of a zero point."""
    return graph.add_scalar(quant.dtype.type(quant.zero))


def rename_reads(node: NodeProto, names: dict[str, str]) -> None:
    """Let a node, and the bodies of control flow in it, read other tensors, in place."""
    node.input[:] = [names.get(name, name) for name in node.input]
    for body in list_bodies(node):
        _rename_body(body, names)


def _rename_body(body: GraphProto, names: dict[str, str]) -> None:
    """Rename what a body reads from around it."""
    own = {info.name for info in body.input} | {tensor.name for tensor in body.initializer}
    own |= {name for node in body.node for name in node.output}
    outer = {name: other for name, other in names.items() if name not in own}
    for node in body.node:
        rename_reads(node, outer)
    for info in body.output:
        info.name = outer.get(info.name, info.name)
