"""stdin, stdout and stderr, where whoever started the program has closed them or nobody reads them."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO


def open_streams() -> None:
    """Connect stdin, stdout and stderr to /dev/null where the caller has closed them (``>&-``).

    The next file that is opened would get their number otherwise, and with it what libraries print.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode))


@contextlib.contextmanager
def telling() -> Iterator[None]:
    """Let a stderr that takes nothing, in this block, change nothing: the exit code still tells."""
    try:
        yield
        sys.stderr.flush()
    except OSError:
        drop_stream(sys.stderr)


def drop_stream(stream: TextIO) -> None:
    """Leave nothing for the interpreter to flush into a stream that takes no more."""
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())
