"""Lowering: one node of the float model -> integer nodes of the fixed one, an operator family a module.

A module exports ``FAMILY``: operator of ONNX -> Rule. Whatever no rule takes is computed on real numbers (``real``), so
that every model can be lowered.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipudebug.registry import Registry

if TYPE_CHECKING:
    from ipudebug.sim.lowering.fixed_graph import FixedGraph
    from ipudebug.sim.network import FloatNetwork, FloatNode


class Role(enum.Enum):
    """What a node is to the tensors around it."""

    CONVOLUTION = "CONV_2D"
    """Its first input is what [CONV_CONFIG] chooses the precision of."""
    DEPTHWISE = "DEPTHWISE_CONV_2D"
    """The same, with a kernel for each channel."""
    COPY = "copy"
    """Its outputs have the elements of its inputs, or averages of them: all share scale and zero point."""
    OTHER = "other"
    """It rescales."""
    REAL = "real"
    """It is computed on real numbers."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How nodes of one operator become integer nodes.

    Attributes:
        classify: what a node is; None for one that has no integer form.
        lower: appends the integer nodes.
    """

    classify: Callable[[FloatNode, FloatNetwork], Role | None]
    lower: Callable[[FloatNode, FixedGraph], None]


Family = Mapping[str, Rule]

FAMILIES: Registry[Family] = Registry(
    __name__,
    "FAMILY",
    "operator family",
    besides=("board_input", "domains", "fixed_graph", "real", "windows"),
)


@functools.cache
def list_rules() -> dict[str, Rule]:
    """Return the rules of all families, by operator."""
    return {op: rule for family in FAMILIES.values() for op, rule in family.items()}


def classify_node(node: FloatNode, network: FloatNetwork) -> Role:
    """Return what a node is; REAL where no rule takes it."""
    rule = list_rules().get(node.op)
    outputs = [name for name in node.outputs if name]
    if rule is None or not outputs or not all(map(network.is_activation, outputs)):
        return Role.REAL
    return rule.classify(node, network) or Role.REAL
