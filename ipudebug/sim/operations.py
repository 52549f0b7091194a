"""The operations that a dump of one of our models shows: one per node, or one per fused domain."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from ipudebug.sim.kernels import KERNELS
from ipudebug.sim.model import Operation, Stage

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

DOMAIN = "ipudebug"
SHOWN_AS = {
    "Conv": "CONV_2D",
    "Relu": "RELU",
    "LeakyRelu": "LEAKY_RELU",
    "PRelu": "PRELU",
    "Sigmoid": "LOGISTIC",
    "MaxPool": "MAX_POOL_2D",
    "GlobalMaxPool": "MAX_POOL_2D",
    "AveragePool": "AVERAGE_POOL_2D",
    "GlobalAveragePool": "AVERAGE_POOL_2D",
    "ReduceMean": "MEAN",
    "Gemm": "FULLY_CONNECTED",
    "MatMul": "BATCH_MATMUL",
    "Concat": "CONCATENATION",
    "Split": "SPLIT_V",
    "Max": "MAXIMUM",
    "Min": "MINIMUM",
    "Flatten": "RESHAPE",
    "Squeeze": "RESHAPE",
    "Unsqueeze": "RESHAPE",
    "ConvTranspose": "TRANSPOSE_CONV",
    "ADD_CONSTANT": "ADD",
    "MUL_CONSTANT": "MUL",
}
"""Operators whose name in a dump is another one; the others are shown in capitals."""
_ENTERS, _LEAVES, _CONVERTS = "DequantizeLinear", "QuantizeLinear", "INPUT_CONVERSION"


def list_operations(graph: GraphProto, stage: Stage) -> tuple[Operation, ...]:
    """Return the operations in execution order; outputs that are no tensors are left out."""
    known = {value.name for value in (*graph.value_info, *graph.output) if value.type.HasField("tensor_type")}
    groups = _group_domains(graph.node, known) if stage.is_integer else [[node] for node in graph.node]
    operations: list[Operation] = []
    following = 0
    for group in groups:
        outputs = tuple(name for node in group if not _is_hidden(node) for name in node.output if name in known)
        if not outputs:
            continue
        head, last = _find_ends(group)
        number = _read_integer(head, "domain_index", following)
        types, doubtful = (_show_type(head), _show_type(last)), _list_inexact(group) if stage.is_integer else ()
        operations.append(Operation(number, *types, _list_inputs(group, head), outputs, doubtful))
        following = number + 1
    return tuple(operations)


def list_conversions(graph: GraphProto) -> dict[str, str]:
    """Return, by image input, what INPUT_CONVERSION makes of it, where the graph states its type."""
    fed = {value.name for value in graph.input}
    known = {value.name for value in (*graph.value_info, *graph.output)}
    nodes = (node for node in graph.node if node.op_type == _CONVERTS and node.domain == DOMAIN)
    return {node.input[0]: node.output[0] for node in nodes if node.input[0] in fed and node.output[0] in known}


def _group_domains(nodes: Iterable[NodeProto], known: Collection[str]) -> list[list[NodeProto]]:
    """Return the nodes of each domain, and of each operator that is computed on real numbers between integers.

    Such an operator stands with what makes real numbers of its inputs and integers of its results: a group goes on as
    long as it has made something, of no ``known`` type, that nothing has read yet.
    """
    domains: dict[int, list[NodeProto]] = {}
    groups: list[list[NodeProto]] = []
    pending: set[str] = set()
    for node in nodes:
        if node.domain == DOMAIN:
            pending = set()
            number = _read_integer(node, "domain_index", -1)
            if number in domains and number >= 0:
                domains[number].append(node)
                continue
            domains[number] = [node]
            groups.append(domains[number])
            continue
        if pending:
            groups[-1].append(node)
        else:
            groups.append([node])
        pending.difference_update(node.input)
        pending.update(name for name in node.output if name and name not in known)
    return groups


def _find_ends(group: Sequence[NodeProto]) -> tuple[NodeProto, NodeProto]:
    """Return the nodes that give a group its types: what is done, not the way into it or out of it."""
    inner = [node for node in group if node.op_type not in (_ENTERS, _LEAVES, _CONVERTS)] or list(group)
    return inner[0], inner[-1] if inner[-1].domain == DOMAIN else inner[0]


def _list_inexact(group: Sequence[NodeProto]) -> tuple[str, ...]:
    """Return the types of a group's operators whose integers are not known to be the chip's: all on real numbers."""
    if group[0].domain != DOMAIN:
        return (_show_type(_find_ends(group)[0]),)
    kernels = [node for node in group if node.op_type.lower() in KERNELS]
    return tuple(_show_type(node) for node in kernels if KERNELS[node.op_type.lower()].status == "inexact")


def _list_inputs(group: Sequence[NodeProto], head: NodeProto) -> tuple[str, ...]:
    """Return what goes into a group: the head's inputs, each before it was made a real number or converted."""
    sources = {node.output[0]: node.input[0] for node in group if node.op_type in (_ENTERS, _CONVERTS)}
    return tuple(sources.get(name, name) for name in head.input if name)


def _show_type(node: NodeProto) -> str:
    """Return a node's operator as the vendor's dumps name it."""
    return SHOWN_AS.get(node.op_type, node.op_type.upper())


def _is_hidden(node: NodeProto) -> bool:
    """Return whether a node's output is inside a fused domain."""
    return bool(_read_integer(node, "hidden", 0))


def _read_integer(node: NodeProto, name: str, default: int) -> int:
    """Return an integer attribute."""
    return next((attribute.i for attribute in node.attribute if attribute.name == name), default)
