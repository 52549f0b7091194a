"""Known messages, guesses and the catalogue -> text or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ipudebug.catalogue import STAGES, Entry, Known

LONGEST_EXCERPT = 400
"""Characters of a message that are shown; what is cut is marked."""

Guesses = Sequence[tuple[Entry, float]]


def explain_as_text(known: Sequence[Known], guesses: Guesses, *, numbered: bool) -> Iterator[str]:
    """Yield one block per message that was found, else the guesses; ``numbered`` shows the lines of a log."""
    for place, found in enumerate(known):
        where = f"line {found.line}: " if numbered else ""
        times = f"  ({found.count} times)" if found.count > 1 else ""
        yield "\n" * (place > 0) + where + shorten(found.excerpt) + times + "\n"
        for entry in found.entries:
            yield from _explain_entry(entry)
    if not known:
        yield "no known message found"
        yield "; these are similar, but only guesses:\n" if guesses else "\n"
        for entry, likeness in guesses:
            yield f"\n{entry.message}  ({likeness:.0%} alike)\n"
            yield from _explain_entry(entry)


def _explain_entry(entry: Entry) -> Iterator[str]:
    """Yield what an entry says, one fact a line."""
    number = f"row {entry.key}, " if entry.key.isdigit() else ""
    facts = {
        "stage": f"{number}{STAGES[entry.stage]}",
        "cause": entry.cause,
        "when": entry.when,
        "do": entry.remedy,
        "rewrite": entry.rewrite,
        "look at": entry.look,
        "more": entry.link,
    }
    yield from (f"  {title:<8} {fact}\n" for title, fact in facts.items() if fact)


def explain_as_json(known: Sequence[Known], guesses: Guesses) -> Iterator[str]:
    """Yield one object: what is ``known``, and the ``guesses`` where nothing is."""
    found = [
        {
            "line": one.line,
            "count": one.count,
            "excerpt": one.excerpt,
            "entries": [describe_entry(entry) for entry in one.entries],
        }
        for one in known
    ]
    similar = [{"likeness": round(likeness, 3), **describe_entry(entry)} for entry, likeness in guesses]
    yield json.dumps({"version": 1, "known": found, "guesses": similar}, indent=1, ensure_ascii=False) + "\n"


def list_as_text(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield one line per entry: key, stage, message."""
    shown = list(entries)
    width = max((len(entry.key) for entry in shown), default=0)
    for entry in shown:
        yield f"{entry.key:<{width}}  {entry.stage}  {entry.message}\n"


def list_as_json(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield an array of entries."""
    yield json.dumps([describe_entry(entry) for entry in entries], indent=1, ensure_ascii=False) + "\n"


def describe_entry(entry: Entry) -> Mapping[str, Any]:
    """Return an entry as a JSON object."""
    return {
        "row": entry.key,
        "stage": entry.stage,
        "message": entry.message,
        "cause": entry.cause,
        "when": entry.when,
        "evidence": entry.evidence,
        "remedy": entry.remedy,
        "rewrite": entry.rewrite or None,
        "look": entry.look,
        "link": entry.link,
    }


def shorten(text: str) -> str:
    """Return ``text``, cut where it is too long to read."""
    return text if len(text) <= LONGEST_EXCERPT else text[: LONGEST_EXCERPT - 1] + "…"
