"""Protobuf's text format (``.prototxt``) <-> a tree of fields, without the message's definition.

::

    message = field*
    field   = name [":"] "{" message "}"  |  name [":"] "<" message ">"
            | name ":" value  |  name ":" "[" value ("," value)* "]"       each may be followed by ";" or ","
    value   = word | string string*                                        kept as written, quotes and all

Comments run from ``#`` to the end of the line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ipudebug.errors import ModelError

DEEPEST = 64
"""Messages within messages; a Caffe network has four."""

_TOKEN = re.compile(
    r"""[\s\x00]+ | \#[^\n]*
      | (?P<token> "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' | [{}<>\[\]:;,] | [^\s{}<>\[\]:;,"'\#]+ )""",
    re.VERBOSE,
)
_CLOSING = {"{": "}", "<": ">"}


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name, and its value as written or, for a message, its fields."""

    name: str
    value: str | tuple[Field, ...]

    @property
    def text(self) -> str:
        """The value without quotes; empty for a message."""
        if not isinstance(self.value, str):
            return ""
        if self.value[:1] in ("'", '"'):
            return re.sub(r"\\(.)", r"\1", self.value[1:-1])
        return self.value

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields of a message; none for a plain value."""
        return self.value if isinstance(self.value, tuple) else ()


def parse_prototext(text: str, source: str) -> tuple[Field, ...]:
    """Return the top-level fields of ``text``; ``source`` names the file in messages. Raises ModelError."""
    return _Parser(text, source).parse_message("", 0)


def format_prototext(fields: tuple[Field, ...]) -> str:
    """Return fields as text, one to a line."""
    return "".join(
        f"{field.name} {{\n{format_prototext(field.value)}}}\n"
        if isinstance(field.value, tuple)
        else f"{field.name}: {field.value}\n"
        for field in fields
    )


def find_all(fields: tuple[Field, ...], *path: str) -> list[Field]:
    """Return every field at a path of names: ``find_all(layer, "include", "phase")``."""
    found = [field for field in fields if field.name == path[0]]
    return found if len(path) == 1 else [inner for field in found for inner in find_all(field.fields, *path[1:])]


def find_text(fields: tuple[Field, ...], *path: str) -> str:
    """Return the value of the last field at a path (the one that counts for a single value), or an empty string."""
    found = find_all(fields, *path)
    return found[-1].text if found else ""


class _Parser:
    """Reads one text; the next token is always in ``token``, empty at the end."""

    def __init__(self, text: str, source: str) -> None:
        self._text, self._source = text, source
        self._position = 0
        self._start = 0
        self._tokens = self._split()
        self.token = next(self._tokens, "")

    def _split(self) -> Iterator[str]:
        while self._position < len(self._text):
            self._start = self._position
            match = _TOKEN.match(self._text, self._position)
            if match is None:
                self.token = self._text[self._position : self._position + 20]
                raise self._fault("a string that ends on its line")
            self._position = match.end()
            if match["token"]:
                yield match["token"]
        self._start = len(self._text)

    def parse_message(self, closing: str, depth: int) -> tuple[Field, ...]:
        """Return the fields up to ``closing``, which is the next token when this returns."""
        if depth > DEEPEST:
            raise self._fault(f"at most {DEEPEST} messages within each other")
        fields: list[Field] = []
        while self.token != closing:
            if not re.match(r"[A-Za-z_]", self.token):
                raise self._fault(f"the name of a field or {closing!r}" if closing else "the name of a field")
            name = self._take()
            colon = self._skip(":")
            if self.token in ("{", "<"):
                closes = _CLOSING[self._take()]
                fields.append(Field(name, self.parse_message(closes, depth + 1)))
                self._take()
            elif not colon:
                raise self._fault(f"':' or '{{' after {name}")
            else:
                fields.extend(Field(name, value) for value in self._parse_values())
            while self.token in (";", ","):
                self._take()
        return tuple(fields)

    def _parse_values(self) -> list[str]:
        if not self._skip("["):
            return [self._parse_value()]
        values: list[str] = []
        while self.token != "]":
            values.append(self._parse_value())
            if self.token != "]" and not self._skip(","):
                raise self._fault("',' or ']'")
        self._take()
        return values

    def _parse_value(self) -> str:
        if not self.token or self.token in "{}<>[]:;,":
            raise self._fault("a value")
        value = self._take()
        while value[0] in "\"'" and self.token[:1] in ("'", '"'):  # adjacent strings are one
            value = value[:-1] + self._take()[1:-1] + value[-1]
        return value

    def _take(self) -> str:
        token, self.token = self.token, next(self._tokens, "")
        return token

    def _skip(self, token: str) -> bool:
        if self.token != token:
            return False
        self._take()
        return True

    def _fault(self, expected: str) -> ModelError:
        line = self._text.count("\n", 0, self._start) + 1
        found = repr(self.token[:40]) if self.token else "the end of the file"
        return ModelError(
            f"{self._source}: line {line}: expected {expected}, found {found}",
            "give the network as text (.prototxt), and the weights (.caffemodel) as the second file",
        )
