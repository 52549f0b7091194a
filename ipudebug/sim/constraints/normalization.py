"""MeanVarianceNormalization, LayerNormalization, BatchNormalization."""

from __future__ import annotations

from ipudebug.sim.constraints.node import Node
from ipudebug.sim.constraints.rule import NodeRule, Offence, Subject, allow_values


def _require_four_dimensions(node: Node, subject: Subject) -> Offence | None:
    """The input has four dimensions."""
    shape = subject.graph.find_shape(node.read_input(0))
    return Offence(f"{len(shape)} dimensions") if shape is not None and len(shape) != 4 else None


def _refuse_first_axis(node: Node, subject: Subject) -> Offence | None:
    """The normalised dimensions do not begin with the first."""
    axis = node.read_integer("axis", -1)
    shape = subject.graph.find_shape(node.read_input(0)) if axis < 0 else None
    first = axis == 0 or (shape is not None and axis + len(shape) == 0)
    return Offence(f"axis={axis}") if first else None


RULES = (
    NodeRule("008", ("MeanVarianceNormalization",), _require_four_dimensions),
    allow_values("026", "LayerNormalization", "stash_type", (1,)),
    NodeRule("027", ("LayerNormalization",), _refuse_first_axis),
    allow_values("062", "BatchNormalization", "training_mode", (0,)),
    allow_values("063", "BatchNormalization", "spatial", (1,)),
    allow_values("064", "BatchNormalization", "is_test", (0,)),
)
