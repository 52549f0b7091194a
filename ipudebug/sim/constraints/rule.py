"""What a rule is: an entry of the catalogue, the operators it is about, and the test that a node must pass."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ipudebug.catalogue import Entry, load_entries
from ipudebug.catalogue.entries import PLACEHOLDER
from ipudebug.sim.chips import Chips, load_chips

if TYPE_CHECKING:
    from ipudebug.config.ini import Ini
    from ipudebug.errors import ConfigError
    from ipudebug.sim.constraints.graph import Graph
from ipudebug.sim.constraints.node import Node

Level = Literal["error", "warning", "note"]
LEVELS: tuple[Level, ...] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Offence:
    """What a test found wrong with a node.

    Attributes:
        found: the fact, such as ``sorted=0``.
        values: what stands in the placeholders of the vendor's message; empty stands for the node's name in each.
        level: how sure and how bad: an error is refused, a warning may be, a note is worth knowing.
    """

    found: str
    values: tuple[str, ...] = ()
    level: Level = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the toolchain would refuse.

    Attributes:
        level: error, warning or note.
        entry: the catalogue's entry: cause, remedy, rewrite.
        message: the message that the conversion would end in.
        found: what was found.
        node: name of the node; empty where the finding is not about one.
        op_type: its operator.
        place: the file, or file and line, that the finding is about; empty for the model.
    """

    level: Level
    entry: Entry
    message: str
    found: str
    node: str = ""
    op_type: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is checked: a model, and what is known about its conversion.

    Attributes:
        graph: the model.
        ini: its input_config.ini, or None where there is none or it cannot be parsed.
        ini_fault: why it cannot be parsed.
        soc_version: name of the chip, or None.
        chips: what is public about chips.
    """

    graph: Graph
    ini: Ini | None = None
    ini_fault: ConfigError | None = None
    soc_version: str | None = None
    chips: Chips = field(default_factory=load_chips)


@dataclass(frozen=True, slots=True)
class NodeRule:
    """A rule about every node of some operators; ``test`` returns what is wrong with a node, or None."""

    key: str
    ops: Collection[str]
    test: Callable[[Node, Subject], Offence | None]

    def judge(self, node: Node, subject: Subject) -> Finding | None:
        """Return the finding about ``node``, or None."""
        offence = self.test(node, subject)
        if offence is None:
            return None
        return report(self.key, offence.found, offence.values, node=node, level=offence.level)


@dataclass(frozen=True, slots=True)
class ModelRule:
    """A rule about the model as a whole, its ini or its chip; ``keys`` are the entries that it may end in."""

    keys: Collection[str]
    find: Callable[[Subject], Iterator[Finding]]


def report(
    key: str,
    found: str,
    values: tuple[str, ...] = (),
    *,
    node: Node | None = None,
    level: Level = "error",
    place: str = "",
) -> Finding:
    """Return a finding under entry ``key`` with the vendor's message; one that ends in a colon gets the node's name."""
    entry = load_entries()[key]
    name = node.name if node else ""
    message = entry.fill(values or (name,) * len(PLACEHOLDER.findall(entry.message)))
    if message.endswith(":"):
        message += name
    return Finding(level, entry, message, found, name, node.op_type if node else "", place)


def allow_values(key: str, op: str, attribute: str, allowed: Collection[Any]) -> NodeRule:
    """Return a rule that ``attribute`` of ``op``, where a node sets it, has one of the values allowed."""

    def test(node: Node, _: Subject) -> Offence | None:
        value = node.read_attribute(attribute)
        return None if value is None or value in allowed else Offence(f"{attribute}={value}")

    return NodeRule(key, (op,), test)


def forbid_attribute(key: str, op: str, attribute: str) -> NodeRule:
    """Return a rule that no node of ``op`` sets ``attribute``."""

    def test(node: Node, _: Subject) -> Offence | None:
        value = node.read_attribute(attribute)
        return None if value is None else Offence(f"{attribute}={value}")

    return NodeRule(key, (op,), test)
