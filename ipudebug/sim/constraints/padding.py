"""Pad."""

from __future__ import annotations

from ipudebug.sim.constraints.node import Node
from ipudebug.sim.constraints.rule import NodeRule, Offence, Subject, allow_values


def _refuse_axes(node: Node, _: Subject) -> Offence | None:
    """The axes are not given as a tensor."""
    return Offence(f"axes={node.read_input(3)}") if node.read_input(3) else None


RULES = (
    NodeRule("007", ("Pad",), _refuse_axes),
    allow_values("016", "Pad", "mode", ("constant", "reflect")),
)
