"""RNN, LSTM, GRU."""

from __future__ import annotations

import math
from collections.abc import Collection

from ipudebug.sim.constraints.node import Node
from ipudebug.sim.constraints.rule import NodeRule, Offence, Subject, allow_values, forbid_attribute

ALPHA = 0.01
"""The only slope of a leaky activation; attributes are float32."""


def _refuse_lengths(node: Node, subject: Subject) -> Offence | None:
    """An RNN takes no sequence lengths; a constant without elements counts as none."""
    name = node.read_input(4)
    values = subject.graph.find_constant(name) if name else None
    return Offence(f"sequence_lens={name}") if name and (values is None or values.size) else None


def _refuse_variable_lengths(node: Node, subject: Subject) -> Offence | None:
    """LSTM and GRU take sequence lengths that are constant."""
    name = node.read_input(4)
    return Offence(f"sequence_lens={name}") if name and not subject.graph.is_constant(name) else None


def _refuse_other_alpha(node: Node, _: Subject) -> Offence | None:
    """Every activation_alpha is the one that is known."""
    values = node.read_list("activation_alpha", float)
    bad = [value for value in values if not math.isclose(value, ALPHA, rel_tol=1e-6)]
    return Offence(f"activation_alpha={bad[0]:g}") if bad else None


def _require_sequence(key: str, op: str, cycle: tuple[str, ...]) -> NodeRule:
    """Return a rule that the activations repeat ``cycle``."""

    def test(node: Node, _: Subject) -> Offence | None:
        given = node.read_list("activations", str)
        expected = [cycle[place % len(cycle)] for place in range(len(given))]
        same = [name.lower() for name in given] == expected
        return None if same else Offence(f"activations={' '.join(given)}")

    return NodeRule(key, (op,), test)


def _require_members(key: str, op: str, members: Collection[str]) -> NodeRule:
    """Return a rule that each activation is one of ``members``."""

    def test(node: Node, _: Subject) -> Offence | None:
        given = node.read_list("activations", str)
        return Offence(f"activations={' '.join(given)}") if {name.lower() for name in given} - {*members} else None

    return NodeRule(key, (op,), test)


RULES = (
    NodeRule("010", ("RNN",), _refuse_lengths),
    forbid_attribute("011", "RNN", "clip"),
    forbid_attribute("012", "RNN", "activation_beta"),
    NodeRule("013", ("RNN",), _refuse_other_alpha),
    allow_values("014", "RNN", "direction", ("forward", "bidirectional")),
    _require_members("015", "RNN", ("sigmoid", "tanh")),
    NodeRule("018", ("LSTM",), _refuse_variable_lengths),
    forbid_attribute("019", "LSTM", "clip"),
    forbid_attribute("020", "LSTM", "activation_beta"),
    NodeRule("021", ("LSTM",), _refuse_other_alpha),
    allow_values("022", "LSTM", "layout", (0,)),
    allow_values("023", "LSTM", "input_forget", (0,)),
    allow_values("024", "LSTM", "direction", ("forward", "bidirectional")),
    _require_sequence("025", "LSTM", ("sigmoid", "tanh", "tanh")),
    NodeRule("028", ("GRU",), _refuse_variable_lengths),
    allow_values("029", "GRU", "layout", (0,)),
    allow_values("030", "GRU", "direction", ("forward", "bidirectional")),
    forbid_attribute("031", "GRU", "clip"),
    _require_members("032", "GRU", ("sigmoid", "tanh")),
    forbid_attribute("033", "GRU", "activation_alpha"),
)
