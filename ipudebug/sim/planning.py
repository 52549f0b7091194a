"""What becomes of the nodes and tensors of a float model before any number is known: roles, activations, ties."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ipudebug.sim.lowering import Role, classify_node
from ipudebug.sim.lowering.activation import is_fusable
from ipudebug.sim.network import FloatNetwork, FloatNode

CONVOLUTIONS = (Role.CONVOLUTION, Role.DEPTHWISE)


@dataclass(frozen=True)
class Plan:
    """A float model with its nodes sorted out.

    Attributes:
        network: the float model.
        nodes: those that are lowered; a Relu or Clip that a convolution takes over is not among them.
        roles: what each of them is.
        groups: leader -> tensors that share scale and zero point, because some operator only copies between them; every
            activation of the fixed model is in one group.
        leaders: tensor -> leader of its group.
        images: inputs that the board feeds with pixels.
    """

    network: FloatNetwork
    nodes: tuple[FloatNode, ...]
    roles: dict[FloatNode, Role]
    groups: dict[str, tuple[str, ...]]
    leaders: dict[str, str]
    images: frozenset[str]

    def list_convolutions(self, *roles: Role) -> list[FloatNode]:
        """Return the convolutions of these roles, in execution order."""
        return [node for node in self.nodes if self.roles[node] in (roles or CONVOLUTIONS)]

    def holds_pixels(self, name: str) -> bool:
        """Return whether a tensor is what the board feeds with pixels, or a copy of nothing else."""
        return name in self.leaders and self.leaders[name] in {self.leaders[image] for image in self.images}


def plan_network(network: FloatNetwork, images: Collection[str] = ()) -> Plan:
    """Return what becomes of a float model; ``images`` are the inputs that the board feeds with pixels."""
    roles = {node: classify_node(node, network) for node in network.nodes}
    taken = _fuse_activations(network, roles)
    nodes = tuple(node for node in network.nodes if node not in taken)
    inner = {node.outputs[0] for node in nodes if node.activation is not None}
    leaders = {name: name for name in network.list_activations() if name not in inner}
    derived = set(network.inputs)
    for node in nodes:
        if roles[node] is Role.COPY:
            _tie_copies(node, network, leaders, derived)
    found = {name: _find_leader(name, leaders) for name in leaders}
    groups: dict[str, list[str]] = {}
    for name, leader in found.items():
        groups.setdefault(leader, []).append(name)
    sorted_roles = {node: roles[node] for node in nodes}
    members = {leader: tuple(names) for leader, names in groups.items()}
    return Plan(network, nodes, sorted_roles, members, found, frozenset(images))


def _fuse_activations(network: FloatNetwork, roles: dict[FloatNode, Role]) -> set[FloatNode]:
    """Give every convolution the Relu or Clip that alone reads it; return those activations."""
    taken = set()
    for node, role in roles.items():
        node.activation = None
        if role in CONVOLUTIONS and network.has_one_reader(node.outputs[0]):
            (reader,) = network.readers[node.outputs[0]]
            if reader.inputs[:1] == node.outputs[:1] and is_fusable(reader, network):
                node.activation = reader
                taken.add(reader)
    return taken


def _tie_copies(node: FloatNode, network: FloatNetwork, leaders: dict[str, str], derived: set[str]) -> None:
    """Tie what a copying node reads and makes.

    ``derived`` are the inputs and what is copied of one alone: they have the scale that the board feeds. Where they
    meet other tensors they are multiplied by one instead of forcing that scale on them.
    """
    inputs = [name for name in dict.fromkeys(node.inputs) if name in leaders]
    if len(inputs) == 1 and inputs[0] in derived:
        derived.update(node.outputs)
    elif len(inputs) > 1:
        inputs = [name for name in inputs if name not in derived]
    names = [*inputs, *node.outputs]
    for name in names[1:]:
        leaders[_find_leader(name, leaders)] = _find_leader(names[0], leaders)


def _find_leader(name: str, leaders: dict[str, str]) -> str:
    """Return the leader of a tensor's group, shortening the way there."""
    while leaders[name] != name:
        leaders[name] = leaders[leaders[name]]
        name = leaders[name]
    return name
