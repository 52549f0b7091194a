"""messages.ini and own.ini -> the entries of the catalogue."""

from __future__ import annotations

import configparser
import functools
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

STAGES = {
    "F": "float conversion",
    "X": "fixed conversion",
    "O": "offline conversion",
    "S": "accuracy debugging",
    "I": "ipudebug itself",
}
"""Letter -> when a message appears."""
FILES = ("messages.ini", "own.ini")
REQUIRED = frozenset(("stage", "message", "cause", "when", "evidence", "remedy", "look"))
OPTIONAL = frozenset(("also", "rewrite", "general"))
PLACEHOLDER = re.compile("⟨([^⟨⟩]*)⟩")


@dataclass(frozen=True, slots=True)
class Entry:
    """One known message.

    Attributes:
        key: three digits, the row on the vendor's page; a name for a message that the page does not list.
        stage: a letter of STAGES.
        message: the text; ``⟨...⟩`` holds a sample of a part that varies.
        also: other forms of the same message.
        cause: what is wrong.
        when: what in the model, the ini or the call triggers it.
        evidence: how the trigger is known, such as ``doc`` or ``inferred``.
        remedy: what the user should do.
        look: the flag, ini key or attribute to look at.
        rewrite: a mechanical change that keeps what was meant, or an empty text where none is known.
        general: whether it is a last resort, used where no other entry explains the text.
    """

    key: str
    stage: str
    message: str
    cause: str
    when: str
    evidence: str
    remedy: str
    look: str
    also: tuple[str, ...] = ()
    rewrite: str = ""
    general: bool = False

    @property
    def forms(self) -> tuple[str, ...]:
        """The message and its other forms."""
        return (self.message, *self.also)

    @property
    def link(self) -> str:
        """Where our documentation explains it."""
        return f"docs/errors.md#{'row-' if self.key.isdigit() else ''}{self.key}"

    def fill(self, values: Sequence[str]) -> str:
        r"""Return the message with ``values`` in place of the samples, one for each; raises ValueError otherwise.

        The page writes ``\"`` where the tools print ``"``.
        """
        parts = PLACEHOLDER.split(self.message)
        if len(values) != len(parts) // 2:
            raise ValueError(f"row {self.key} has {len(parts) // 2} placeholders, got {len(values)} values")
        parts[::2] = [part.replace('\\"', '"') for part in parts[::2]]
        parts[1::2] = values
        return "".join(parts)

    def read_values(self, text: str) -> tuple[str, ...]:
        """Return what stands in ``text`` where the message has its samples; the samples if ``text`` is another one."""
        parts = PLACEHOLDER.split(self.message)
        match = re.search("(.*?)".join(map(re.escape, parts[::2])), text)
        return match.groups() if match else tuple(parts[1::2])


@functools.cache
def load_entries() -> Mapping[str, Entry]:
    """Return every entry of the catalogue by key, in the order of the files."""
    entries: dict[str, Entry] = {}
    remedies: dict[str, str] = {}
    for name in FILES:
        parser = configparser.ConfigParser(delimiters=("=",), comment_prefixes=("#",), interpolation=None)
        with open(os.path.join(os.path.dirname(__file__), name), encoding="utf-8") as file:
            parser.read_file(file)
        remedies |= {key: parser[key]["text"] for key in parser.sections() if key.startswith("remedy ")}
        for key in parser.sections():
            if not key.startswith("remedy "):
                entries[key] = _read_entry(key, parser[key], remedies)
    return entries


def _read_entry(key: str, section: Mapping[str, str], remedies: Mapping[str, str]) -> Entry:
    """Return one section as an Entry; raises ValueError if the file is not in order (a test reads it)."""
    wrong = (REQUIRED - section.keys()) | (section.keys() - REQUIRED - OPTIONAL)
    if wrong or section["stage"] not in STAGES:
        raise ValueError(f"catalogue entry {key}: missing or unknown keys {sorted(wrong)}, or an unknown stage")
    fields = {field: section[field] for field in REQUIRED | {"rewrite"} if field in section}
    fields["remedy"] = remedies.get(f"remedy {section['remedy']}", section["remedy"])
    also = tuple(line for line in section.get("also", "").splitlines() if line)
    return Entry(key=key, also=also, general=section.get("general") == "yes", **fields)
