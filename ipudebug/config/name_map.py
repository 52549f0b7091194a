"""The map file: which tensor of the sample stands for which of the benchmark, where names differ.

One pair a line, ``sample-name benchmark-name``, separated by a tab or by blanks; names that hold blanks are quoted, or
separated by a tab. Empty lines and lines that begin with ``#`` do not count; a name that begins so is quoted. A file
that begins with ``{`` is a JSON object of the same pairs.
"""

from __future__ import annotations

import re

from ipudebug.errors import ConfigError

_LIMIT = 64 << 20
_JSON_FORM = 'write: {"sample-name": "benchmark-name", ...}'


def load_name_map(path: str) -> dict[str, str]:
    """Return sample name -> benchmark name; raises ConfigError with file and line."""
    try:
        with open(path, "rb") as file:
            text = file.read(_LIMIT).decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"no such map file: {path}", "check the path") from None
    except OSError as reason:
        raise ConfigError(f"cannot read the map file {path}: {reason.strerror}", "give a text file") from None
    except UnicodeDecodeError as reason:
        raise ConfigError(f"{path}: byte {reason.start}: expected UTF-8 text", "a map holds two names a line") from None
    pairs = _parse_json(path, text) if text.lstrip().startswith("{") else _parse_lines(path, text)
    if not pairs:
        raise ConfigError(f"{path}: the map is empty", "write one pair a line: sample-name benchmark-name")
    return pairs


def _parse_json(path: str, text: str) -> dict[str, str]:
    """Return the pairs of a JSON object of strings."""
    import json

    try:
        entries = json.loads(text, object_pairs_hook=list)
    except (ValueError, RecursionError) as reason:
        raise ConfigError(f"{path}: not valid JSON: {reason}", _JSON_FORM) from None
    pairs: dict[str, str] = {}
    for key, partner in entries:
        if not isinstance(partner, str):
            raise ConfigError(
                f"{path}: {key!r}: expected the name of a tensor, found {json.dumps(partner)}", _JSON_FORM
            )
        if key in pairs:
            raise ConfigError(f"{path}: {key!r} is mapped twice", "keep one of the two")
        pairs[key] = partner
    return pairs


def _parse_lines(path: str, text: str) -> dict[str, str]:
    """Return the pairs of a file with one pair a line."""
    import shlex

    pairs: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        try:
            fields = re.split(r"\s*\t\s*", line) if "\t" in line else shlex.split(line)
        except ValueError as reason:
            raise ConfigError(f"{path}, line {number}: {reason}: {line}", 'quote names with blanks: "a b" c') from None
        if len(fields) != 2:
            raise ConfigError(
                f"{path}, line {number}: expected two names, found {len(fields)}: {line}",
                "write: sample-name benchmark-name; quote names with blanks, or put a tab between the two",
            )
        if fields[0] in pairs:
            raise ConfigError(f"{path}, line {number}: {fields[0]!r} is mapped twice", "keep one of the two")
        pairs[fields[0]] = fields[1]
    return pairs
