"""One node of an ONNX graph: its names, and its attributes as Python values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from onnx import NodeProto

T = TypeVar("T")
ATTRIBUTE_FIELDS = {1: "f", 2: "i", 3: "s", 4: "t", 5: "g", 6: "floats", 7: "ints", 8: "strings"}
"""AttributeProto.type -> the field that holds the value."""


class Node:
    """One node: names, and attributes as Python values."""

    __slots__ = ("domain", "inputs", "op_type", "outputs", "proto", "within")

    def __init__(self, proto: NodeProto, within: str = "") -> None:
        """Wrap ``proto``; ``within`` names the control-flow node whose body it is part of."""
        self.proto = proto
        self.within = within
        self.op_type = read_name(proto.op_type)
        self.domain = read_name(proto.domain)
        self.inputs = read_names(proto.input)
        self.outputs = read_names(proto.output)

    @property
    def name(self) -> str:
        """The node's name; of a node without one, its first output's."""
        return read_name(self.proto.name) or next(filter(None, self.outputs), self.op_type)

    def read_input(self, place: int) -> str:
        """Return the name of input ``place``; an empty text where the node has none."""
        return self.inputs[place] if place < len(self.inputs) else ""

    def read_attribute(self, name: str) -> Any:
        """Return an attribute as int, float, str, list or proto; None where the node does not set it."""
        for attribute in self.proto.attribute:
            if attribute.name == name:
                field = ATTRIBUTE_FIELDS.get(attribute.type)
                value: Any = getattr(attribute, field) if field else None
                if isinstance(value, bytes):
                    return read_name(value)
                if field in ("floats", "ints", "strings"):
                    return [read_name(item) if isinstance(item, bytes) else item for item in value]
                return value
        return None

    def read_integer(self, name: str, default: int) -> int:
        """Return an attribute that is a whole number; ``default`` where it is not set or something else."""
        value = self.read_attribute(name)
        return value if isinstance(value, int) else default

    def read_text(self, name: str, default: str) -> str:
        """Return an attribute that is a text; ``default`` where it is not set or something else."""
        value = self.read_attribute(name)
        return value if isinstance(value, str) else default

    def read_list(self, name: str, kind: type[T]) -> list[T]:
        """Return an attribute that is a list of ``kind``; empty where it is not set or something else."""
        value = self.read_attribute(name)
        return value if isinstance(value, list) and all(isinstance(item, kind) for item in value) else []


def read_names(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the names of a repeated field; see ``read_name``."""
    names = tuple(texts)
    return tuple(map(read_name, names)) if bytes in map(type, names) else names


def read_name(text: str | bytes) -> str:
    """Return a name of a proto, which is bytes where it is no UTF-8."""
    return text if isinstance(text, str) else text.decode("utf-8", "replace")
