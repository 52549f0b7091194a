"""ScatterND, ScatterElements."""

from __future__ import annotations

from ipudebug.sim.constraints.node import Node
from ipudebug.sim.constraints.rule import NodeRule, Offence, Subject


def _refuse_reduction(node: Node, _: Subject) -> Offence | None:
    """Elements are overwritten, not combined."""
    reduction = node.read_text("reduction", "none")
    return Offence(f"reduction={reduction}", (reduction,)) if reduction != "none" else None


def _doubt_reduction(node: Node, _: Subject) -> Offence | None:
    """Which reductions are supported is not public: any but none may be refused."""
    reduction = node.read_text("reduction", "none")
    if reduction == "none":
        return None
    return Offence(f"reduction={reduction}; which reductions are supported is not known", level="warning")


RULES = (
    NodeRule("041", ("ScatterND",), _refuse_reduction),
    NodeRule("042", ("ScatterElements",), _doubt_reduction),
)
