"""Where a report goes: stdout as it grows, or a file that appears complete."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable

from ipudebug.errors import OutputError
from ipudebug.files import replace_file

_PATIENCE = 0.2  # seconds that a finished row may wait for the next before it is shown
_PORTION = 1 << 14  # bytes that are written at once, also where PYTHONUNBUFFERED makes every write a system call


def write_output(path: str, pieces: Iterable[str], keep: Iterable[str] = ()) -> None:
    """Write text to ``path``, or to stdout if it is ``-``, drawing each piece only when the one before is written.

    ``keep`` are files that must not be overwritten (the inputs). Bytes that were no UTF-8 come out as they were.
    Raises OutputError.
    """
    if path != "-":
        check_keep(path, keep)
        with replace_file(path) as file:
            for piece in pieces:
                file.write(piece.encode("utf-8", "surrogateescape"))
        return
    sys.stdout.flush()
    shown, waiting = time.monotonic(), bytearray()
    try:
        for piece in pieces:
            waiting += piece.encode("utf-8", "surrogateescape")
            if len(waiting) > _PORTION or time.monotonic() - shown > _PATIENCE:
                _show(waiting)
                shown, waiting = time.monotonic(), bytearray()
    finally:  # an error, or Ctrl-C, does not take away what was measured before it
        _show(waiting)


def _show(text: bytes | bytearray) -> None:
    """Write text to stdout, all of it: unbuffered, one write may take a part."""
    rest = memoryview(text)
    while rest:
        rest = rest[sys.stdout.buffer.write(rest) :]
    sys.stdout.buffer.flush()


def check_keep(path: str, keep: Iterable[str]) -> None:
    """Raise OutputError if writing ``path`` would overwrite one of the files ``keep``."""
    for other in keep:
        if os.path.exists(path) and os.path.exists(other) and os.path.samefile(path, other):
            raise OutputError(f"-o {path} would overwrite an input", "give another name")
