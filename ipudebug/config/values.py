"""An ini entry -> its values, checked: names, choices, switches, numbers. Every fault names file, line and key."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ipudebug.config.ini import Entry

Channels = tuple[float, ...]
"""The values of one input, one per channel."""
TEMPLATE = "cfg/input_config.ini is an annotated template"
NUMBERS = "write one number for each channel, such as 127.5:127.5:127.5, in the order R:G:B"


def read_names(entry: Entry) -> tuple[str, ...]:
    """Return tensor names; raises ConfigError when one is empty or given twice."""
    for name in entry.items:
        if not name:
            raise entry.fault("empty name in a list.", "a name between two commas", hint="remove the extra comma")
        if entry.items.count(name) > 1:
            raise entry.fault("name given twice.", "each name once", name, "remove one of the two")
    return entry.items


def read_choices(entry: Entry, allowed: Sequence[str], message: str) -> tuple[str, ...]:
    """Return the items; raises ConfigError with ``message``, ``{}`` standing for the item, for one not allowed."""
    for item in entry.items:
        if item not in allowed:
            import difflib

            near = difflib.get_close_matches(item.upper(), allowed, n=1)
            hint = f"did you mean {near[0]}?" if near else TEMPLATE
            hint = f"write {item.upper()} in capitals" if item.upper() in allowed else hint
            raise entry.fault(message.format(item), " or ".join(allowed), item, hint)
    return entry.items


def read_switches(entry: Entry, what: str) -> tuple[bool, ...]:
    """Return ``TRUE`` and ``FALSE`` as booleans; raises ConfigError."""
    message = f"{what} unsupported: {{}}, only support `TRUE` or `FALSE`."
    return tuple(item == "TRUE" for item in read_choices(entry, ("TRUE", "FALSE"), message))


def read_channels(entry: Entry) -> tuple[Channels, ...]:
    """Return one tuple of numbers per item, ``1:2:3`` -> ``(1.0, 2.0, 3.0)``; raises ConfigError."""
    return tuple(tuple(_read_number(entry, text) for text in item.split(":")) for item in entry.items)


def read_positive_integers(entry: Entry, multiple: int = 1) -> tuple[int, ...]:
    """Return integers above 0 that ``multiple`` divides; raises ConfigError."""
    expected = "a whole number above 0" + (f", a multiple of {multiple}" if multiple > 1 else "")
    for item in entry.items:
        if not (item.isascii() and item.isdigit()) or len(item) > 9 or int(item) < 1 or int(item) % multiple:
            raise entry.fault("alignment unsupported.", expected, item, "leave the key out for the default")
    return tuple(map(int, entry.items))


def check_count(entry: Entry, owners: Sequence[str], message: str, what: str) -> None:
    """Raise ConfigError with ``message`` unless there is one item for every owner; ``what`` an owner is."""
    if len(entry.items) != len(owners):
        entries = "1 entry" if len(owners) == 1 else f"{len(owners)} entries"
        expected = f"{entries}, one per {what} ({', '.join(owners)})"
        hint = f"put ',' between {what}s and ':' between the channels of one"
        raise entry.fault(message, expected, f"{len(entry.items)} ({','.join(entry.items)})", hint)


def _read_number(entry: Entry, text: str) -> float:
    """Return a finite number; raises ConfigError."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or "_" in text:
        raise entry.fault("not a number.", "numbers, ':' between channels and ',' between inputs", text, NUMBERS)
    return number
