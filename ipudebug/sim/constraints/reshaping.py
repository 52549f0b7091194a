"""Reshape, Expand, DepthToSpace."""

from __future__ import annotations

from ipudebug.sim.constraints.node import Node
from ipudebug.sim.constraints.rule import NodeRule, Offence, Subject, allow_values


def _require_constant_shape(node: Node, subject: Subject) -> Offence | None:
    """The target shape is a constant once the graph has been simplified."""
    name = node.read_input(1)
    return Offence(f"shape={name} is computed") if name and not subject.graph.is_constant(name) else None


def _refuse_two_open_dimensions(node: Node, subject: Subject) -> Offence | None:
    """At most one dimension is left to be inferred."""
    shape = node.read_list("shape", int)  # up to opset 4
    values = subject.graph.find_constant(node.read_input(1))
    if values is not None:
        shape = values.reshape(-1).tolist()
    return Offence(f"shape={shape}") if shape.count(-1) > 1 else None


def _require_whole_blocks(node: Node, subject: Subject) -> Offence | None:
    """The channels divide into blocks."""
    shape = subject.graph.find_shape(node.read_input(0))
    area = node.read_integer("blocksize", 1) ** 2
    if shape is None or len(shape) < 2 or shape[1] is None or not area or shape[1] % area == 0:
        return None
    return Offence(f"C={shape[1]}, blocksize^2={area}")


RULES = (
    NodeRule("009", ("Expand",), _require_constant_shape),
    allow_values("050", "Reshape", "allowzero", (0,)),
    NodeRule("054", ("DepthToSpace",), _require_whole_blocks),
    NodeRule("078", ("Reshape",), _refuse_two_open_dimensions),
)
