"""stdin, stdout and stderr, where whoever started the program has closed them, or they do not take everything."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import TextIO


def open_streams() -> None:
    """Make the three streams take whatever is printed; /dev/null stands for one that is closed (``>&-``).

    The next file that is opened would get their number otherwise, and with it what libraries print.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode))
    if isinstance(sys.stdout, io.TextIOWrapper):  # a path that is no UTF-8 comes out as it is on the disk
        is_utf8 = codecs.lookup(sys.stdout.encoding).name == "utf-8"
        sys.stdout.reconfigure(errors="surrogateescape" if is_utf8 else "backslashreplace")


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
