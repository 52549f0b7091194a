"""The graph as a whole: its opset, cycles in it, the order of its nodes."""

from __future__ import annotations

from collections.abc import Iterator

from ipudebug.sim.constraints.graph import Graph
from ipudebug.sim.constraints.node import Node
from ipudebug.sim.constraints.rule import Finding, ModelRule, Subject, report


def _limit_opset(subject: Subject) -> Iterator[Finding]:
    """The opset is one that the converter knows."""
    opset, limit = subject.graph.opset, subject.chips.limits["opset"]
    if limit.value is not None and opset > limit.value:
        yield report("006", f"opset {opset}")


def _find_disorder(subject: Subject) -> Iterator[Finding]:
    """Every node reads what is given or what an earlier node has produced, and none depends on its own output."""
    graph = subject.graph
    early = _find_early_reads(graph)
    cycles = _find_cycles(graph) if early else []
    for cycle in cycles:
        path = " -> ".join(node.name for node in (*cycle, cycle[0]))
        yield report("004", path, node=cycle[0])
    around = {id(node): place for place, cycle in enumerate(cycles) for node in cycle}
    for node, name in early:
        producer = graph.find_producer(name)
        if producer is None or id(node) not in around or around[id(node)] != around.get(id(producer)):
            found = f"{name} is produced later" if producer else f"nothing produces {name}"
            yield report("005", found, (name, node.name, node.op_type), node=node)


def _find_early_reads(graph: Graph) -> list[tuple[Node, str]]:
    """Return the nodes that read a tensor before it exists, each with the first such tensor."""
    ready, early = {*graph.given, ""}, []
    for node in graph.nodes:
        if not ready.issuperset(node.inputs):
            early.append((node, next(name for name in node.inputs if name not in ready)))
        ready.update(node.outputs)
    return early


def _find_cycles(graph: Graph) -> list[list[Node]]:
    """Return disjoint cycles, each in the direction of the data, so that without them every node can be ordered."""
    cycles = []
    stuck = _list_stuck(graph, graph.nodes)
    while stuck:
        cycles.append(_walk_back(graph, stuck))
        members = {id(node) for node in cycles[-1]}
        stuck = _list_stuck(graph, [node for node in stuck.values() if id(node) not in members])
    return cycles


def _list_stuck(graph: Graph, nodes: list[Node]) -> dict[int, Node]:
    """Return the nodes that no order makes possible, by identity; what none of ``nodes`` produces counts as there."""
    present = {id(node) for node in nodes}
    waiting: dict[int, set[int]] = {}
    readers: dict[int, list[Node]] = {}
    for node in nodes:
        waiting[id(node)] = {id(graph.find_producer(name)) for name in node.inputs if name} & present
        for source in waiting[id(node)]:
            readers.setdefault(source, []).append(node)
    free = [node for node in nodes if not waiting[id(node)]]
    while free:
        done = free.pop()
        for reader in readers.get(id(done), ()):
            waiting[id(reader)].discard(id(done))
            if not waiting[id(reader)]:
                free.append(reader)
    return {id(node): node for node in nodes if waiting[id(node)]}


def _walk_back(graph: Graph, stuck: dict[int, Node]) -> list[Node]:
    """Return one cycle among nodes each of which waits for another of them."""
    path: list[Node] = []
    places: dict[int, int] = {}
    node = next(iter(stuck.values()))
    while id(node) not in places:
        places[id(node)] = len(path)
        path.append(node)
        sources = (graph.find_producer(name) for name in node.inputs if name)
        node = next(source for source in sources if source is not None and id(source) in stuck)
    return path[places[id(node)] :][::-1]


RULES = (ModelRule(("006",), _limit_opset), ModelRule(("004", "005"), _find_disorder))
