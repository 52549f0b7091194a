"""A server in a thread of this process, on a port that the system chooses, with models that need no process."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ipudebug.board.client import BoardClient
from ipudebug.board.engine import Engine
from ipudebug.board.faults import Faults
from ipudebug.board.limits import Limits
from ipudebug.board.link import BoardAddress
from ipudebug.board.protocol import PortFacts, Refusal
from ipudebug.board.server import BoardServer, serve_until
from ipudebug.board.visit import House
from ipudebug.board.wire import PACKED

PATIENCE = 20.0
"""Seconds after which a test that waits for an event fails."""
MODEL = b"invert souffle 4"
"""What FakeEngine takes for a model: a word, a chip, the bytes of its input and of its output."""


@dataclass
class FakeSession:
    """A model whose output is its input with all bits inverted."""

    chip: str
    size: int
    word: str
    entered: threading.Event
    closed: list[str]
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def inputs(self) -> tuple[PortFacts, ...]:
        return (PortFacts("x", "uint8", (1, self.size), self.size),)

    @property
    def outputs(self) -> tuple[PortFacts, ...]:
        return (PortFacts("y", "uint8", (1, self.size), self.size, 0.5, 3),)

    async def run(self, buffers: Sequence[bytearray]) -> list[bytes]:
        self.entered.set()
        if self.word == "hang":
            await self.gate.wait()
        if self.word == "fail":
            raise Refusal("failed", "the fake fails")
        return [bytes(255 - value for value in buffers[0])]

    async def close(self) -> None:
        self.closed.append(self.word)


@dataclass
class FakeEngine:
    """Opens what is like MODEL; ``entered`` is set when a run begins, ``closed`` tells which models were ended."""

    entered: threading.Event = field(default_factory=threading.Event)
    closed: list[str] = field(default_factory=list)

    async def open(self, path: str) -> FakeSession:
        with open(path, "rb") as file:
            words = file.read().decode("ascii", "replace").split()
        if len(words) != 3 or words[0] not in ("invert", "hang", "fail"):
            raise Refusal("bad_model", "no fake")
        return FakeSession(words[1], int(words[2]), words[0], self.entered, self.closed)


@dataclass
class Running:
    """A server that runs."""

    server: BoardServer
    house: House
    port: int
    loop: asyncio.AbstractEventLoop
    stop: asyncio.Event
    thread: threading.Thread

    @property
    def address(self) -> BoardAddress:
        return BoardAddress("127.0.0.1", self.port, PATIENCE)

    def greet(self) -> BoardClient:
        """Return a new client of it."""
        return BoardClient(self.address)

    def connect(self) -> socket.socket:
        """Return a new connection to it."""
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE)

    def end(self) -> None:
        """Stop it as a signal would, and wait for its end."""
        with contextlib.suppress(RuntimeError):  # it has ended by itself
            self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


@contextlib.contextmanager
def serving(
    engine: Engine | None = None,
    limits: Limits | None = None,
    *,
    chip: str = "",
    token: str = "",
    model_folder: str | None = None,
    faults: Faults | None = None,
    form: int = PACKED,
) -> Iterator[Running]:
    """Run a server while the block lasts; behind it, nothing of what clients had may be left."""
    house = House(engine or FakeEngine(), limits or Limits(), chip, token, model_folder, faults or Faults())
    started = threading.Event()
    running: list[Running] = []
    problems: list[dict] = []

    async def run() -> None:
        server, stop, loop = BoardServer(house, form), asyncio.Event(), asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: problems.append(context))

        def tell(port: int) -> None:
            running.append(Running(server, house, port, loop, stop, thread))
            started.set()

        await serve_until(server, "127.0.0.1", 0, tell, stop)

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    assert started.wait(PATIENCE)
    try:
        yield running[0]
    finally:
        running[0].end()
    assert not problems, problems
    assert (house.memory.taken, house.storage.taken, house.models) == (0, 0, 0)


def read_exactly(connection: socket.socket, count: int) -> bytes:
    """Return so many bytes, or fewer where the connection ends."""
    data = b""
    while len(data) < count:
        try:
            piece = connection.recv(count - len(data))
        except ConnectionError:
            break
        if not piece:
            break
        data += piece
    return data


def read_answer(connection: socket.socket, header: int = 20) -> tuple[int, bytes]:
    """Return the number and the body of the next answer; (-1, b"") where the connection ends."""
    head = read_exactly(connection, header)
    if len(head) < header:
        return -1, b""
    magic, kind, size, request, function = struct.unpack("<BBxxIQI", head[:20])
    assert (magic, kind, function) == (39, 0, 0)
    return request, read_exactly(connection, size)
