"""The operations that a dump of one of our models shows: one per node, or one per fused domain."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from ipudebug.sim.kernels import KERNELS
from ipudebug.sim.model import Operation, Stage

if TYPE_CHECKING:
    from ipudebug.runners.graph import Graph, Node

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


def list_operations(graph: Graph, stage: Stage) -> tuple[Operation, ...]:
    """Return the operations in execution order; outputs that are no tensors are left out."""
    known = {value.name for value in graph.values.values() if value.element}
    groups = _group_domains(graph.nodes, known) if stage.is_integer else [[node] for node in graph.nodes]
    operations: list[Operation] = []
    following = 0
    for group in groups:
        outputs = tuple(name for node in group if not _is_hidden(node) for name in node.outputs if name in known)
        if not outputs:
            continue
        head, last = _find_ends(group)
        number = head.read_integer("domain_index", following)
        types, doubtful = (_show_type(head), _show_type(last)), _list_inexact(group) if stage.is_integer else ()
        operations.append(Operation(number, *types, _list_inputs(group, head), outputs, doubtful))
        following = number + 1
    return tuple(operations)


def list_conversions(graph: Graph) -> dict[str, str]:
    """Return, by image input, what INPUT_CONVERSION makes of it, where the graph states its type."""
    fed = {value.name for value in graph.inputs}
    nodes = (node for node in graph.nodes if node.op_type == _CONVERTS and node.domain == DOMAIN)
    pairs = ((node.inputs[0], node.outputs[0]) for node in nodes)
    return {source: made for source, made in pairs if source in fed and made in graph.values}


def _group_domains(nodes: Iterable[Node], known: Collection[str]) -> list[list[Node]]:
    """Return the nodes of each domain, and of each operator that is computed on real numbers between integers.

    Such an operator stands with what makes real numbers of its inputs and integers of its results: a group goes on as
    long as it has made something, of no ``known`` type, that nothing has read yet.
    """
    domains: dict[int, list[Node]] = {}
    groups: list[list[Node]] = []
    pending: set[str] = set()
    for node in nodes:
        if node.domain == DOMAIN:
            pending = set()
            number = node.read_integer("domain_index", -1)
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
        pending.difference_update(node.inputs)
        pending.update(name for name in node.outputs if name and name not in known)
    return groups


def _find_ends(group: Sequence[Node]) -> tuple[Node, Node]:
    """Return the nodes that give a group its types: what is done, not the way into it or out of it."""
    inner = [node for node in group if node.op_type not in (_ENTERS, _LEAVES, _CONVERTS)] or list(group)
    return inner[0], inner[-1] if inner[-1].domain == DOMAIN else inner[0]


def _list_inexact(group: Sequence[Node]) -> tuple[str, ...]:
    """Return the types of a group's operators whose integers are not known to be the chip's: all on real numbers."""
    if group[0].domain != DOMAIN:
        return (_show_type(_find_ends(group)[0]),)
    kernels = [node for node in group if node.op_type.lower() in KERNELS]
    return tuple(_show_type(node) for node in kernels if KERNELS[node.op_type.lower()].status == "inexact")


def _list_inputs(group: Sequence[Node], head: Node) -> tuple[str, ...]:
    """Return what goes into a group: the head's inputs, each before it was made a real number or converted."""
    sources = {node.outputs[0]: node.inputs[0] for node in group if node.op_type in (_ENTERS, _CONVERTS)}
    return tuple(sources.get(name, name) for name in head.inputs if name)


def _show_type(node: Node) -> str:
    """Return a node's operator as the vendor's dumps name it."""
    return SHOWN_AS.get(node.op_type, node.op_type.upper())


def _is_hidden(node: Node) -> bool:
    """Return whether a node's output is inside a fused domain."""
    return bool(node.read_integer("hidden", 0))
