"""Progress on stderr: how far a long piece of work is, and how long it will go on.

On a terminal it is one line, drawn anew. Elsewhere it is a plain line now and then, once the work takes more than two
seconds, so that a log shows that something goes on. Work of a single step has no middle, so nothing is shown of it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TextIO, TypeVar

T = TypeVar("T")

PATIENCE = 2.0
"""Seconds before the first line in a log."""
LOG_INTERVAL = 30.0
DRAW_INTERVAL = 0.1
BAR = 30


class Progress:
    """How far ``total`` steps of work are; a context manager that leaves the terminal's line empty.

    Args:
        label: what is done, such as "images".
        total: steps of the whole work; None when nobody knows.
        stream: where to, stderr by default.
        clock: seconds, from any start.
    """

    def __init__(
        self,
        label: str,
        total: int | None = None,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start the clock; see the class."""
        self._label = label
        self._total = total
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._on_terminal = self._stream.isatty()
        self._silent = total == 1
        self._start = clock()
        self._shown: float | None = None
        self._width = 0
        self._done = 0

    def __enter__(self) -> Progress:
        """Return itself; on a terminal the line appears."""
        if self._on_terminal and not self._silent:
            self._show()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the line away."""
        self.clear()

    def advance(self, steps: int = 1) -> None:
        """Count steps that are done, and show it when it is time to."""
        self._done += steps
        now = self._clock()
        if self._on_terminal:
            due = self._shown is None or now - self._shown >= DRAW_INTERVAL or self._done == self._total
        else:
            due = now - self._start > PATIENCE and (self._shown is None or now - self._shown >= LOG_INTERVAL)
        if due and not self._silent:
            self._show()

    def track(self, items: Iterable[T]) -> Iterator[T]:
        """Yield the items; each counts as a step when the next one is asked for."""
        for item in items:
            yield item
            self.advance()

    def clear(self) -> None:
        """Take the line away, so that something else can be printed; the next step draws it again."""
        if self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()
            self._width, self._shown = 0, None

    def _show(self) -> None:
        """Draw the line anew, or write one to the log."""
        self._shown = self._clock()
        if not self._on_terminal:
            self._stream.write(self._describe() + "\n")
            self._stream.flush()
            return
        import shutil

        text = self._describe()[: shutil.get_terminal_size().columns - 1]
        self._stream.write("\r" + text.ljust(self._width))
        self._stream.flush()
        self._width = max(self._width, len(text))

    def _describe(self) -> str:
        """Return the state as text."""
        elapsed = self._clock() - self._start
        if not self._total:
            return f"{self._label}: {self._done} done, {_format_seconds(elapsed)}"
        share = min(1.0, self._done / self._total)
        bar = ("#" * int(share * BAR)).ljust(BAR, "-")
        left = f", {_format_seconds(elapsed / share - elapsed)} left" if 0 < share < 1 else ""
        return f"{self._label}: [{bar}] {self._done}/{self._total}{left}"


def _format_seconds(seconds: float) -> str:
    """Return a duration as ``m:ss``, from an hour on as ``h:mm:ss``."""
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
