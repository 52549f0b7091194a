"""A text of any size -> the known messages in it, in one pass and bounded memory."""

from __future__ import annotations

import bisect
import collections
import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ipudebug.catalogue.entries import PLACEHOLDER, Entry
from ipudebug.catalogue.folding import fold, measure_fold, strip_colours

WINDOW = 1 << 16
"""Folded characters that are searched at a time."""
REACH = 1 << 13
"""Folded characters that the longest message, names in it included, may have."""
GUARD = 7
"""Letters of the piece that says whether a message is worth looking for."""
LONGEST_PART = 2048
"""Folded characters that one varying part may have; the vendor's names end at 1024."""
_EXCEPTION = re.compile(r"(?:[A-Za-z_][\w.]*(?:Error|Exception)|Exception): |Assert!!! Errors happened in ")


@dataclass(slots=True)
class Known:
    """A known message that was found: what it means, and where the text has it.

    Attributes:
        entries: every entry with this text; several where stages share a message.
        line: number of the line that it begins on, from 1, the first time.
        excerpt: the text from there to the end of its last line.
        count: how often it was found.
    """

    entries: tuple[Entry, ...]
    line: int
    excerpt: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class _Pattern:
    """The fixed parts of a message, folded, in order; anything may stand between two of them.

    ``guard`` is a piece of them that as many other messages as possible have too: a text without it needs no closer
    look at any of these.
    """

    parts: tuple[str, ...]
    entries: tuple[Entry, ...]
    guard: str


@dataclass(frozen=True, slots=True)
class _Hit:
    """One place where a pattern fits: a range of the window, what it is worth, and its pattern."""

    start: int
    end: int
    order: tuple[bool, int, int]
    pattern: _Pattern


@dataclass(slots=True)
class _Window:
    """Consecutive lines and their folded text."""

    first: int
    lines: list[str] = field(default_factory=list)
    folded: list[str] = field(default_factory=list)

    def find_starts(self) -> list[int]:
        """Return where in the joined folded text each line begins."""
        return list(itertools.accumulate(map(len, self.folded), initial=0))[:-1]


def find_known(lines: Iterable[str], entries: Mapping[str, Entry]) -> list[Known]:
    """Return the messages of ``entries`` that ``lines`` hold, in the order in which each appears first.

    Blanks, line breaks, quotes, case and colours do not matter; the name of an exception before the message may be
    there or not. Of messages that overlap, the longest wins.
    """
    patterns, prefixes = _build_patterns(tuple(entries.values()))
    found: dict[int, Known] = {}
    for window, limit in _cut_windows(lines):
        text, starts = "".join(window.folded), window.find_starts()
        there = {guard for guard in {pattern.guard for pattern in patterns} if guard in text}
        near = [pattern for pattern in patterns if pattern.guard in there]
        hits = [hit for pattern in near for hit in _find_pattern(pattern, text, starts, prefixes)]
        for hit in sorted(_drop_overlaps(hits, len(text)), key=lambda hit: hit.start):
            if hit.start >= limit:
                continue
            known = found.get(id(hit.pattern))
            if known:
                known.count += 1
            else:
                line = bisect.bisect_right(starts, hit.start) - 1
                excerpt = _quote(window, starts, line, hit)
                found[id(hit.pattern)] = Known(hit.pattern.entries, window.first + line, excerpt)
    return list(found.values())


@functools.lru_cache(maxsize=8)
def _build_patterns(entries: tuple[Entry, ...]) -> tuple[list[_Pattern], tuple[str, ...]]:
    """Return one pattern for each distinct text, and the folded beginnings that may stand before any, longest first."""
    shared: dict[tuple[str, ...], list[Entry]] = {}
    for entry in entries:
        for form in entry.forms:
            short = _EXCEPTION.sub("", form, count=1) if _EXCEPTION.match(form) else form
            parts = _fold_parts(short) or _fold_parts(form)
            shared.setdefault(parts, []).append(entry)
    shared.pop((), None)
    pieces = {parts: _list_pieces(max(parts, key=len)) for parts in shared}
    spread = collections.Counter(piece for group in pieces.values() for piece in set(group))
    patterns = [
        _Pattern(parts, tuple(group), max(pieces[parts], key=lambda piece: (spread[piece], piece)))
        for parts, group in shared.items()
    ]
    matches = (_EXCEPTION.match(form) for entry in entries for form in entry.forms)
    prefixes = {fold(match[0]) for match in matches if match} | {"exception:", "runtimeerror:", "valueerror:"}
    return patterns, tuple(sorted(prefixes, key=len, reverse=True))


def _list_pieces(part: str) -> list[str]:
    """Return every run of GUARD letters in a part; the part itself where it is shorter."""
    return [part[place : place + GUARD] for place in range(max(1, len(part) - GUARD + 1))]


def _fold_parts(form: str) -> tuple[str, ...]:
    """Return the fixed parts of a message; a final colon, after which a name follows, is left out."""
    fixed = PLACEHOLDER.split(form)[::2]
    if len(fixed[-1].split()) > 1:
        fixed[-1] = fixed[-1].removesuffix(":")
    return tuple(filter(None, map(fold, fixed)))


def _cut_windows(lines: Iterable[str]) -> Iterator[tuple[_Window, int]]:
    """Yield windows, and how far into each a message may begin to belong to it; the rest begins the next window."""
    window, size = _Window(1), 0
    for line in lines:
        window.lines.append(line)
        window.folded.append(fold(line))
        size += len(window.folded[-1])
        if size >= WINDOW or len(window.lines) >= WINDOW:
            starts = window.find_starts()
            keep = max(1, bisect.bisect_left(starts, size - REACH)) if size > REACH else len(starts)
            yield window, starts[keep] if keep < len(starts) else size
            window = _Window(window.first + keep, window.lines[keep:], window.folded[keep:])
            size = sum(map(len, window.folded))
    yield window, size + 1


def _find_pattern(pattern: _Pattern, text: str, starts: list[int], prefixes: tuple[str, ...]) -> Iterator[_Hit]:
    """Yield the places where ``pattern`` fits, none of them overlapping."""
    if not all(part in text for part in pattern.parts):
        return
    first, *others = pattern.parts
    place = text.find(first)
    while place >= 0:
        end = place + len(first)
        gaps: list[tuple[int, int]] = []
        for part in others:
            after = text.find(part, end, end + LONGEST_PART + len(part))
            if after < 0:
                break
            if not gaps:
                place = text.rfind(first, place, after)  # the nearest before, so that the varying part is short
                end = place + len(first)
            gaps.append((end, after))
            end = after + len(part)
        else:
            start = place - next((len(prefix) for prefix in prefixes if text.endswith(prefix, 0, place)), 0)
            breaks = sum(bisect.bisect_left(starts, b) - bisect.bisect_right(starts, a) for a, b in gaps)
            fixed = end - start - sum(b - a for a, b in gaps)
            yield _Hit(start, end, (pattern.entries[0].general, max(0, breaks), -fixed), pattern)
            place = text.find(first, end)
            continue
        place = text.find(first, place + 1)


def _drop_overlaps(hits: list[_Hit], size: int) -> Iterator[_Hit]:
    """Yield the hits that are not within a better one: last resorts yield, then broken lines, then shorter texts."""
    taken = bytearray(size)
    for hit in sorted(hits, key=lambda hit: hit.order):
        if 1 not in taken[hit.start : hit.end]:
            taken[hit.start : hit.end] = b"\x01" * (hit.end - hit.start)
            yield hit


def _quote(window: _Window, starts: list[int], line: int, hit: _Hit) -> str:
    """Return the text of a hit as the log has it, from its first letter to the end of its last line."""
    last = bisect.bisect_left(starts, hit.end) - 1
    whole = [strip_colours(text).strip("\r\n") for text in window.lines[line : last + 1]]
    whole[0] = whole[0][measure_fold(whole[0], hit.start - starts[line]) :]
    return " ".join(text.strip() for text in whole if text.strip())
