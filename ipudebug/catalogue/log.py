"""A log of any size -> its lines, whatever its encoding and however long they are."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from typing import BinaryIO

LONGEST_LINE = 1 << 20
"""Characters; what is longer comes in pieces, each of which counts as a line."""
_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16", codecs.BOM_UTF8: "utf-8-sig"}


def read_log(file: BinaryIO) -> Iterator[str]:
    """Yield the lines of a binary stream; bytes that are no text become U+FFFD.

    A log that PowerShell redirected is UTF-16 with a mark at its beginning; anything else is read as UTF-8.
    """
    buffered = io.BufferedReader(file) if isinstance(file, io.RawIOBase) else file
    head = buffered.peek(3)[:3] if isinstance(buffered, io.BufferedReader) else b""
    encoding = next((name for mark, name in _MARKS.items() if head.startswith(mark)), "utf-8")
    text = io.TextIOWrapper(buffered, encoding=encoding, errors="replace")
    while line := text.readline(LONGEST_LINE):
        yield line
    text.detach()  # the stream belongs to the caller
