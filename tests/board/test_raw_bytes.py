"""The protocol from raw bytes: nothing of ipudebug's writes or reads them here, only docs/board-protocol.md."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("msgpack")

from tests.board.serving import MODEL, read_exactly, serving

PAGE = Path(__file__).parents[2] / "docs" / "board-protocol.md"


def read_conversation() -> Iterator[tuple[str, list[str]]]:
    """Yield the directions and the bytes of the frames in the page, header and body joined."""
    block = PAGE.read_text(encoding="utf-8").split("## A conversation")[1].split("```")[1]
    frames: list[tuple[str, list[str]]] = []
    for line in filter(None, block.splitlines()):
        found = re.match(r"([<>]) +((?:(?:[0-9a-f]{2}|\.\.|\*\*) {0,2})+?)(?: {3,}|$)", line)
        assert found, line
        words = found[2].split()
        if words[:2] == ["27", "00"] and len(words) == 20:
            frames.append((found[1], words))
        else:
            assert frames[-1][0] == found[1]
            frames[-1][1].extend(words)
    yield from frames


def match(words: list[str], data: bytes) -> bool:
    """Return whether bytes are those of the page."""
    pattern = b"".join(
        b".*" if word == "**" else b"." if word == ".." else re.escape(bytes.fromhex(word)) for word in words
    )
    return re.fullmatch(pattern, data, re.DOTALL) is not None


def receive_frame(connection: socket.socket) -> bytes:
    """Return the next frame as it is."""
    head = read_exactly(connection, 20)
    return head + read_exactly(connection, int.from_bytes(head[4:8], "little"))


@pytest.mark.parametrize("padding", [b"", b"\0\0\0\0", b"junk"])
def test_the_server_speaks_as_the_page_says(padding: bytes) -> None:
    frames = list(read_conversation())
    assert [way for way, _ in frames].count(">") == [way for way, _ in frames].count("<") == 8
    with serving(chip="souffle", form=20 + len(padding)) as running, running.connect() as connection:
        for way, words in frames:
            if way == ">":
                frame = bytes.fromhex("".join(words))
                assert len(frame) == 20 + frame[4]
                connection.sendall(frame[:20] + padding + frame[20:])
            else:
                found = receive_frame(connection) if not padding else receive_padded(connection)
                assert match(words, found), (words, found)
    assert bytes.fromhex("".join(frames[2][1][25:])) == MODEL


def receive_padded(connection: socket.socket) -> bytes:
    """Return the next frame of 24 bytes of header, without its padding."""
    head = read_exactly(connection, 24)
    return head[:20] + read_exactly(connection, int.from_bytes(head[4:8], "little"))


def test_the_page_lists_every_call_and_every_code() -> None:
    from ipudebug.board.protocol import ARGUMENTS, CODES
    from ipudebug.board.wire import hash_name

    page = PAGE.read_text(encoding="utf-8")
    for name, types in ARGUMENTS.items():
        row = re.search(rf"^\| `{name}` \| ([0-9a-f]{{8}}) \| (.*?) \| ", page, re.MULTILINE)
        assert row, name
        assert int(row[1], 16) == hash_name(name)
        assert len(row[2].split(", ")) == len(types)
    for code, meaning in CODES.items():
        assert f"| `{code}` | {meaning} |" in page
