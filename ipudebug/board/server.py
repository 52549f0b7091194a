"""The server: connections, their frames and deadlines; what is called is answered by ``visit.py``.

One thread serves all connections, so that a thousand idle ones cost nothing; models run in processes of their own.
Every wait of a connection has a deadline, which one task watches for all.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any

from ipudebug.board.limits import GREETING_BODY
from ipudebug.board.protocol import FAILED, OK, Refusal
from ipudebug.board.visit import House, Visit
from ipudebug.board.wire import PACKED, FrameError, Header, decode_body, decode_header, encode_body, encode_header

_PIECE = 1 << 18
_BUFFER = 1 << 16
_BACKLOG = 1024


class Connection:
    """One connection and what the server knows of it.

    Attributes:
        visit: the client.
        deadline: when it is closed, on the clock of the event loop.
        is_working: whether a call is being answered.
        since: when the last answer was given.
    """

    def __init__(self, house: House, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, now: float) -> None:
        """Begin with the greeting."""
        self.visit = Visit(house)
        self.greeting_deadline = self.deadline = now + house.limits.greeting
        self.is_working = False
        self.since = now
        self.reader = reader
        self.writer = writer
        self.sent = 0

    def cut(self) -> None:
        """Close the connection without waiting for anything."""
        self.writer.transport.abort()


class BoardServer:
    """A board that is not there: see docs/board-protocol.md.

    Args:
        house: models, limits, chip, token and faults.
        form: bytes of a header, PACKED or PADDED.

    Attributes:
        clients: connections that were greeted since the start.
    """

    def __init__(self, house: House, form: int = PACKED) -> None:
        """Take the parts; nothing listens yet."""
        self.house = house
        self.clients = 0
        self._form = form
        self._connections: dict[asyncio.Task[None], Connection] = {}
        self._server: asyncio.AbstractServer | None = None
        self._watch: asyncio.Task[None] | None = None
        self._is_stopping = False

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port; 0 lets the system choose one. Raises OSError."""
        self._server = await asyncio.start_server(self._welcome, host, port, backlog=_BACKLOG, limit=_BUFFER)
        self._watch = asyncio.create_task(self._watch_deadlines())
        found: int = self._server.sockets[0].getsockname()[1]
        return found

    async def stop(self) -> None:
        """Refuse new clients, let the calls under way end for a while, and close everything."""
        self._is_stopping = True
        for connection in self._connections.values():
            if not connection.is_working:
                connection.cut()
        tasks = list(self._connections)
        if tasks:
            await asyncio.wait(tasks, timeout=self.house.limits.grace)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        if self._watch is not None:
            self._watch.cancel()
        if self._server is not None:
            self._server.close()  # last: asyncio forgets a connection that it accepts at this moment

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection from its beginning to its end."""
        task = asyncio.current_task()
        assert task is not None
        connection = Connection(self.house, reader, writer, self._now())
        if self._is_stopping or not self._make_room():
            why = "is stopping" if self._is_stopping else "has as many clients as it can"
            writer.write(self._frame([FAILED, f"busy: this server {why}"], 0))
            writer.close()
            return
        self._connections[task] = connection
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while await self._serve(connection) and not self._is_stopping:
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            connection.cut()
        finally:
            writer.close()
            connection.is_working = True  # nobody need cut it any more
            await connection.visit.close()
            del self._connections[task]

    def _make_room(self) -> bool:
        """Return whether another connection fits in; the one that does least is closed for it."""
        if len(self._connections) < self.house.limits.clients:
            return True
        idle = [each for each in self._connections.values() if not each.is_working and not each.visit.has_models]
        if not idle:
            return False
        chosen = min(idle, key=lambda each: (each.visit.greeted, each.since))
        chosen.is_working = True  # nobody chooses it again before it is gone
        chosen.cut()
        return True

    async def _serve(self, connection: Connection) -> bool:
        """Answer one frame, and return whether another can follow."""
        limits, visit = self.house.limits, connection.visit
        await asyncio.sleep(0)  # calls that have come already would be answered without a break for the others
        first = await connection.reader.readexactly(1)
        if visit.greeted:
            connection.deadline = self._now() + limits.frame
        taken, request, goes_on = 0, 0, True
        try:
            rest = await connection.reader.readexactly(self._form - 1)
            header = decode_header(first + rest, limits.body if visit.greeted else GREETING_BODY)
            request = header.request
            if header.size == 0:  # rest_rpc's heartbeat
                self._wait_idle(connection)
                return True
            goes_on = False
            body = bytearray()
            while len(body) < header.size:
                piece = await connection.reader.read(min(header.size - len(body), _PIECE))
                if not piece:
                    return False
                self.house.memory.take(len(piece))
                taken += len(piece)
                body += piece
            goes_on = True
            value = await self._answer(connection, header, body)
            answer = [OK] if value is None else [OK, value]
        except Refusal as refusal:
            answer = [FAILED, str(refusal)]
        except FrameError as error:
            answer, goes_on = [FAILED, f"bad_request: {error}"], False
        finally:
            self.house.memory.give(taken)
        await self._send(connection, answer, request)
        self._wait_idle(connection)
        return goes_on

    async def _answer(self, connection: Connection, header: Header, body: bytearray) -> Any:
        """Return what a call gives; raises Refusal."""
        visit = connection.visit
        was_greeted = visit.greeted
        connection.is_working = True
        connection.deadline = float("inf")  # loading and running have limits of their own
        try:
            try:
                values = decode_body(body)
            except FrameError as error:
                raise Refusal("bad_request", str(error)) from None
            return await visit.answer(header.function, values)
        finally:
            connection.is_working = False
            self.clients += visit.greeted and not was_greeted

    async def _send(self, connection: Connection, answer: list[Any], request: int) -> None:
        """Send an answer; raises ConnectionError when the fault ``drop`` strikes."""
        connection.deadline = self._now() + self.house.limits.frame
        data = self._frame(answer, request)
        drop = self.house.faults.drop
        if drop is not None and connection.sent + len(data) > drop:
            connection.writer.write(data[: max(0, drop - connection.sent)])
            connection.writer.close()
            raise ConnectionAbortedError
        connection.sent += len(data)
        connection.writer.write(data)
        await connection.writer.drain()

    def _frame(self, answer: list[Any], request: int) -> bytes:
        """Return an answer as bytes."""
        body = encode_body(answer)
        return encode_header(Header(len(body), request, 0), self._form) + body

    def _wait_idle(self, connection: Connection) -> None:
        """Set the deadline for the next call; a client that has not greeted keeps the one that it had."""
        connection.since = self._now()
        idle = connection.since + self.house.limits.idle
        connection.deadline = idle if connection.visit.greeted else connection.greeting_deadline

    async def _watch_deadlines(self) -> None:
        """Cut every connection whose time is up, for ever."""
        limits = self.house.limits
        step = min(1.0, min(limits.greeting, limits.frame, limits.idle) / 4)
        while True:
            await asyncio.sleep(step)
            now = self._now()
            for connection in list(self._connections.values()):
                if connection.deadline < now:
                    connection.cut()

    @staticmethod
    def _now() -> float:
        """Return the clock of the event loop."""
        return asyncio.get_running_loop().time()


async def serve_until(
    server: BoardServer, host: str, port: int, ready: Callable[[int], object], stop: asyncio.Event
) -> None:
    """Serve until ``stop`` is set; ``ready`` is told the port. Raises OSError where it is taken."""
    ready(await server.start(host, port))
    try:
        await stop.wait()
    finally:
        with contextlib.suppress(asyncio.CancelledError):
            await server.stop()
