"""Mod, Sum, CumSum."""

from __future__ import annotations

from ipudebug.sim.constraints.node import Node
from ipudebug.sim.constraints.rule import NodeRule, Offence, Subject, allow_values


def _require_two_inputs(node: Node, _: Subject) -> Offence | None:
    """A sum is one of two tensors."""
    return Offence(f"{len(node.inputs)} inputs") if len(node.inputs) != 2 else None


RULES = (
    allow_values("017", "Mod", "fmod", (0,)),
    NodeRule("038", ("Sum",), _require_two_inputs),
    allow_values("055", "CumSum", "reverse", (0,)),
    allow_values("056", "CumSum", "exclusive", (0,)),
)
