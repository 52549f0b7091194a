"""Domains: operators that the chip executes as one unit.

A dump shows the inputs of the first and the outputs of the last.

A convolution, or an elementwise operator, is joined by the elementwise operators behind it, as long as each is the only
reader of what it joins. Where both operands of one could be joined, it is the later. A domain stands where its last
member stood: nothing else reads what its members make, and everything that they read is there by then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ipudebug.sim.lowering.fixed_graph import Unit

MEMBERS = frozenset({"ADD", "SUB", "MUL", "MAXIMUM", "RELU", "LEAKY_RELU", "PRELU"})
"""Elementwise operators."""
HEADS = MEMBERS | {"CONV_2D", "DEPTHWISE_CONV_2D"}


@dataclass(frozen=True)
class Domain:
    """Units in execution order, the head first."""

    units: tuple[Unit, ...]


def group_domains(units: Sequence[Unit], outputs: Collection[str], *, fuse: bool) -> list[Domain]:
    """Return the domains in execution order; with ``fuse`` off each unit is one of its own.

    ``outputs`` are those of the model, which no domain may hide.
    """
    if not fuse:
        return [Domain((unit,)) for unit in units]
    readers = Counter(name for unit in units for name in dict.fromkeys(unit.inputs))
    open_domains: dict[str, list[Unit]] = {}
    last_place: dict[int, int] = {}
    domains: list[list[Unit]] = []
    for place, unit in enumerate(units):
        joined = _find_joined(unit, open_domains, readers, outputs)
        if joined is None:
            joined = []
            domains.append(joined)
        joined.append(unit)
        last_place[id(joined)] = place
        if unit.op_type in HEADS and unit.is_exact:
            open_domains[unit.outputs[0]] = joined
    domains.sort(key=lambda members: last_place[id(members)])
    return [Domain(tuple(members)) for members in domains]


def _find_joined(
    unit: Unit, open_domains: dict[str, list[Unit]], readers: Counter[str], outputs: Collection[str]
) -> list[Unit] | None:
    """Return the domain that a unit joins; None if it begins one."""
    if unit.op_type not in MEMBERS or not unit.is_exact:
        return None
    found = [name for name in unit.inputs if name in open_domains and readers[name] == 1 and name not in outputs]
    if not found:
        return None
    order = list(open_domains)
    return open_domains.pop(max(found, key=order.index))
