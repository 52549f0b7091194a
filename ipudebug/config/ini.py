r"""The syntax of an ini file as SigmaStar's tools read it: sections, keys, lists, the lines that they stand in.

::

    # comment                          a line, or the rest of one after a blank
    [SECTION]
    key = one,'two',"three";           ``=`` or ``:``; the ``;`` may be left out, text after it is a comment
    key = 'one,two';                   the same list: commas separate inside quotes too
    key = one,                         a value that ends in a comma
          two;                         goes on in the next line

Blanks and quotes around an entry are dropped, nothing else, so that ``/a`` and ``b_`` keep their ends. Quotes protect
``;`` and ``#``. A backslash before one of ``, ; : # ' " \`` or a blank takes that character literally, which makes
every tensor name writable.
"""

from __future__ import annotations

import configparser
import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from ipudebug.errors import ConfigError
from ipudebug.files import OpenFile

LARGEST = 1 << 20
"""Bytes of a file that is still taken for a configuration."""
ESCAPABLE = ",;:#'\"\\ "
CLOSING = {mark: re.compile(mark + r"(?=\s*(?:$|[,;#]))") for mark in "'\""}
"""A quote that ends an entry; an apostrophe inside a name does not."""


class NoSectionHeader(ConfigError, configparser.MissingSectionHeaderError):
    """The file has text before its first ``[SECTION]`` line."""

    def __init__(self, path: str, line: int, text: str) -> None:
        """Name the first stray line."""
        configparser.MissingSectionHeaderError.__init__(self, path, line, text)
        self.message = f"File contains no section headers. {path}, line {line}: expected [INPUT_CONFIG], found {text!r}"
        self.hint = "the first line that is no comment must be a section header such as [INPUT_CONFIG]"


class MalformedIni(ConfigError, configparser.Error):
    """A line that is no section, no key and no comment, or a key that is given twice."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of one section: ``items`` is its value, split at commas and cleaned; an empty value has no items."""

    path: str
    line: int
    section: str
    key: str
    items: tuple[str, ...]

    @property
    def place(self) -> str:
        """Where the entry stands, for messages."""
        return f"{self.path}, line {self.line}, [{self.section}] {self.key}"

    def fault(self, message: str, expected: str, found: str | None = None, hint: str | None = None) -> ConfigError:
        """Return the error for this entry: the message, the place, what was expected and what was found."""
        shown = ",".join(self.items) if found is None else found
        return ConfigError(f"{message} {self.place}: expected {expected}, found {shown or 'nothing'}", hint)


@dataclass(slots=True)
class Ini:
    """A parsed file: ``sections[NAME][key]``; section names in upper case, keys in lower case, in file order."""

    path: str
    sections: dict[str, dict[str, Entry]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_text_lines(path: str, what: str) -> list[str]:
    """Return a configuration file's lines without their ends; raises ConfigError if it is no UTF-8 text."""
    file = OpenFile(path, what, ConfigError)
    raw = file.read(LARGEST, 0)
    if file.size > LARGEST:
        raise ConfigError(
            f"{what}: {path} is larger than {LARGEST} bytes", "a configuration is a short text; is it the right file?"
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{what}: {path} is not UTF-8 text: {error}", "save the file as UTF-8") from None
    return re.split(r"\r\n|\r|\n", text)


def read_ini(path: str, what: str) -> Ini:
    """Return a file's sections and keys; raises NoSectionHeader, MalformedIni or ConfigError."""
    return parse_ini(path, read_text_lines(path, what))


def parse_ini(path: str, text_lines: Iterable[str]) -> Ini:
    """Return the sections and keys of lines that come from ``path``; raises NoSectionHeader or MalformedIni."""
    ini = Ini(path)
    section = ""
    lines = deque(enumerate(text_lines, start=1))
    while lines:
        number, line = lines.popleft()
        text = line.strip()
        if not text or text[0] in "#;":
            continue
        if text[0] == "[":
            section = _read_header(path, number, text)
            ini.sections.setdefault(section, {})
            continue
        if not section:
            raise NoSectionHeader(path, number, text)
        key, value = _split_key(text)
        items, rest, goes_on = split_items(value)
        while goes_on and lines:
            following = lines.popleft()[1].strip()
            if following[:1] not in ("", "#", ";"):
                value = value + following
                items, rest, goes_on = split_items(value)
        _add_entry(ini, Entry(path, number, section, key, items))
        if rest and rest[0] not in "#;/":
            ini.notes.append(
                f"{path}, line {number}: after the ';' comes a comment: {rest} (a name with a ; needs quotes)"
            )
    if not ini.sections:
        raise NoSectionHeader(path, 1, "")
    return ini


def split_items(value: str) -> tuple[tuple[str, ...], str, bool]:
    """Return a value's entries, the text after its ``;``, and whether it ends in a comma, to go on in the next line."""
    items: list[list[tuple[str, bool]]] = [[]]  # characters, and whether each was escaped
    last_closing = {
        mark: max((match.start() for match in CLOSING[mark].finditer(value)), default=-1) for mark in CLOSING
    }
    quote, position, rest, ended = "", 0, "", False
    while position < len(value):
        char = value[position]
        position += 1
        item = items[-1]
        if char == "\\" and value[position : position + 1] and value[position] in ESCAPABLE:
            item.append((value[position], True))
            position += 1
        elif not quote and char in CLOSING and last_closing[char] >= position and not _clean(item):
            quote = char
        elif quote and char == quote and CLOSING[quote].match(value, position - 1):
            quote = ""
        elif char == ",":
            items.append([])
        elif char == ";" and not quote:
            rest, ended = value[position:].strip(), True
            break
        elif char == "#" and not quote and (position < 2 or value[position - 2].isspace()):
            break
        else:
            item.append((char, False))
    cleaned = [_clean(item) for item in items]
    goes_on = not ended and len(cleaned) > 1 and not cleaned[-1]
    while cleaned and not cleaned[-1]:
        cleaned.pop()
    return tuple(cleaned), rest, goes_on


def _clean(item: list[tuple[str, bool]]) -> str:
    """Return the entry without blanks and quotes at its ends, unless they were escaped."""
    start, end = 0, len(item)
    while start < end and not item[start][1] and (item[start][0].isspace() or item[start][0] in "'\""):
        start += 1
    while start < end and not item[end - 1][1] and (item[end - 1][0].isspace() or item[end - 1][0] in "'\""):
        end -= 1
    return "".join(char for char, _ in item[start:end])


def _read_header(path: str, line: int, text: str) -> str:
    """Return the section's name in upper case."""
    header = re.match(r"\[([^\]]+)\]\s*(?:$|[#;])", text)
    if not header or not header[1].strip():
        raise MalformedIni(
            f"{path}, line {line}: expected a section header, found {text!r}", "write it like [INPUT_CONFIG]"
        )
    return header[1].strip().upper()


def _split_key(text: str) -> tuple[str, str]:
    """Return key and value at the first ``=`` or ``:``; a line with neither is a key without a value."""
    mark = re.search("[=:]", text)
    if mark:
        return text[: mark.start()].strip().lower(), text[mark.end() :].strip()
    return re.split("[;#]", text)[0].strip().lower(), ""


def _add_entry(ini: Ini, entry: Entry) -> None:
    """Enter a key; raises MalformedIni when it is empty, has blanks in it or is there already."""
    if not re.fullmatch(r"[^\s,'\"]+", entry.key):
        raise MalformedIni(
            f"{entry.path}, line {entry.line}: expected key = value, found {entry.key!r}",
            "a list goes on in the next line only after a comma; comments start with # or ;",
        )
    there = ini.sections[entry.section].get(entry.key)
    if there:
        raise MalformedIni(
            f"{entry.place}: expected one {entry.key}, found another in line {there.line}", "remove one of the two"
        )
    ini.sections[entry.section][entry.key] = entry
