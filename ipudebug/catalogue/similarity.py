"""A text that holds no known message -> the entries that resemble it most."""

from __future__ import annotations

import collections
import math
from collections.abc import Iterable, Iterator, Mapping

from ipudebug.catalogue.entries import PLACEHOLDER, Entry
from ipudebug.catalogue.folding import fold

LEAST = 0.3
"""Similarity (0 to 1) below which an entry is no guess."""
_TELLING = (
    "error",
    "exception",
    "assert",
    "fail",
    "support",
    "invalid",
    "cannot",
    "only",
    "wrong",
    "not ",
)


class Guesser:
    """Keeps the lines of a text that may be a message; then says which entries they resemble.

    Of a long text the last lines that sound like a failure are kept, and the very last lines whatever they say.
    """

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        """Start with no line; ``entries`` are what may be guessed."""
        self._entries = entries
        self._telling: collections.deque[str] = collections.deque(maxlen=100)
        self._last: collections.deque[str] = collections.deque(maxlen=10)

    def listen(self, lines: Iterable[str]) -> Iterator[str]:
        """Yield ``lines`` unchanged and keep what is needed of them."""
        for line in lines:
            if line.strip():
                self._last.append(line)
                lowered = line.lower()
                if any(word in lowered for word in _TELLING):
                    self._telling.append(line)
            yield line

    def guess(self, count: int = 3) -> list[tuple[Entry, float]]:
        """Return up to ``count`` entries of different texts and their similarity (0 to 1), best first."""
        texts: dict[str, Entry] = {}
        for entry in self._entries.values():
            if not entry.general:
                for form in entry.forms:
                    texts.setdefault(fold(PLACEHOLDER.sub("", form)), entry)
        profiles = {text: _count_trigrams(text) for text in texts}
        spread = collections.Counter(gram for profile in profiles.values() for gram in profile)
        weight = {gram: 1 + math.log(len(profiles) / among) for gram, among in spread.items()}
        best: dict[str, float] = {}
        for line in {*self._telling, *self._last}:
            asked = _count_trigrams(fold(line[:4000]))
            for text, profile in profiles.items():
                best[text] = max(best.get(text, 0.0), _compare(asked, profile, weight))
        ranked = sorted(((-score, place, text) for place, (text, score) in enumerate(best.items()) if score >= LEAST))
        return [(texts[text], -score) for score, _, text in ranked[:count]]


def _count_trigrams(text: str) -> collections.Counter[str]:
    """Return how often each run of three letters occurs."""
    return collections.Counter(text[place : place + 3] for place in range(max(1, len(text) - 2)))


def _compare(asked: Mapping[str, int], profile: Mapping[str, int], weight: Mapping[str, float]) -> float:
    """Return the weighted share of trigrams that two texts have in common (Dice), from 0 to 1; rare ones count more."""
    both = sum(weight[gram] * min(count, asked[gram]) for gram, count in profile.items() if gram in asked)
    if not both:
        return 0.0
    mine = sum(weight[gram] * count for gram, count in profile.items())
    other = sum(weight.get(gram, 1.0) * count for gram, count in asked.items())
    return 2 * both / (mine + other)
