"""One connection to a board: calls go out, answers come in, each in time or not at all."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ipudebug.board.failures import BadAnswer, CannotConnect, Dropped, TimedOut, read_failure
from ipudebug.board.protocol import FAILED, OK
from ipudebug.board.wire import (
    PACKED,
    FrameError,
    Header,
    decode_body,
    decode_header,
    encode_body,
    encode_header,
    hash_name,
    load_msgpack,
)

_HINT_TIMEOUT = "give more time: --timeout SECONDS; if that does not help, look at the board"
_HINT_DROPPED = "look whether the server still runs, then go on with --continue_run"
_RECEIVED_AT_ONCE = 1 << 20
_JOINED = 1 << 16

Call = tuple[str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class BoardAddress:
    """Where a board is and how it is spoken to.

    Attributes:
        host, port: of the server.
        timeout: seconds that any answer may take.
        token: that the server was started with; "" for none.
        form: bytes of a header, PACKED or PADDED.
    """

    host: str
    port: int
    timeout: float = 60.0
    token: str = ""
    form: int = PACKED

    def __str__(self) -> str:
        """Return host and port, as messages show them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Link:
    """One connection to a board.

    Every method raises a BoardError: CannotConnect, Dropped, TimedOut, BadAnswer, or what the board refuses. After the
    first three the link is of no use.
    """

    def __init__(self, address: BoardAddress) -> None:
        """Connect; raises CannotConnect."""
        load_msgpack()
        self.address = address
        self._last = 0
        try:
            self._socket = socket.create_connection((address.host, address.port), address.timeout)
        except TimeoutError:
            raise CannotConnect(
                f"connect {address} failed! nobody answered in {address.timeout:g} s",
                "check address, cable and firewall; the server is started with: ipudebug serve -p PORT",
            ) from None
        except (OSError, UnicodeError, OverflowError) as reason:
            words = getattr(reason, "strerror", None) or str(reason)
            raise CannotConnect(
                f"connect {address} failed! {words}",
                "check --host and --port; the server is started with: ipudebug serve -p PORT",
            ) from None
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def call_all(self, calls: Sequence[Call]) -> list[Any]:
        """Return what several calls give, in their order; all are sent before the first answer is waited for.

        A call that fails does not keep the later ones from being executed.
        """
        deadline = time.monotonic() + self.address.timeout
        frames = []
        for name, arguments in calls:
            self._last += 1
            body = encode_body(arguments)
            frames.append(encode_header(Header(len(body), self._last, hash_name(name)), self.address.form) + body)
        first = self._last - len(calls) + 1
        with self._told(f"in the middle of {calls[0][0]}"):
            for data in _join(frames):
                self._limit(deadline)
                self._socket.sendall(data)
            answers = [self._receive(number, deadline) for number in range(first, self._last + 1)]
        return [self._read(answer) for answer in answers]

    def _receive(self, number: int, deadline: float) -> list[Any]:
        """Return the answer to the call ``number``."""
        header = decode_header(self._read_exactly(self.address.form, deadline))
        answer = decode_body(self._read_exactly(header.size, deadline))
        if header.request == 0 and answer[:1] == [FAILED]:  # refused before any call was read
            self._read(answer)
        if header.request != number:
            raise FrameError(f"an answer to call {header.request}, expected one to {number}")
        return answer

    def _read(self, answer: list[Any]) -> Any:
        """Return the value in an answer; raises the BoardError for a failure."""
        if answer[:1] == [OK] and len(answer) <= 2:
            return answer[1] if len(answer) == 2 else None
        if answer[:1] == [FAILED] and len(answer) == 2 and isinstance(answer[1], str):
            raise read_failure(str(self.address), answer[1])
        message = f"{self.address}: expected [0, value] or [1, text], found {repr(answer)[:80]}"
        raise BadAnswer(message, "compare the server with docs/board-protocol.md")

    def _read_exactly(self, count: int, deadline: float) -> bytes:
        """Return so many bytes from the connection; raises EOFError where it ends."""
        data = bytearray()
        while len(data) < count:
            self._limit(deadline)
            piece = self._socket.recv(min(count - len(data), _RECEIVED_AT_ONCE))
            if not piece:
                raise EOFError
            data += piece
        return bytes(data)

    def _limit(self, deadline: float) -> None:
        """Let the next operation of the socket end at the deadline at the latest."""
        self._socket.settimeout(max(deadline - time.monotonic(), 1e-3))

    @contextlib.contextmanager
    def _told(self, when: str) -> Iterator[None]:
        """Turn what the socket raises into BoardErrors, and close it."""
        try:
            yield
        except TimeoutError:
            self.close()
            words = f"timeout or deferred: {self.address} did not answer in {self.address.timeout:g} s, {when}"
            raise TimedOut(words, _HINT_TIMEOUT) from None
        except (OSError, EOFError) as reason:
            self.close()
            words = f"{getattr(reason, 'strerror', None) or 'closed by the other side'}, {when}"
            raise Dropped(f"{self.address}: the connection was dropped: {words}", _HINT_DROPPED) from None
        except FrameError as reason:
            self.close()
            hint = "check --port: is it an IPU server? one that was built on an old rest_rpc needs --header 24"
            raise BadAnswer(f"{self.address} answers what no IPU server answers: {reason}", hint) from None


def _join(frames: Sequence[bytes]) -> Iterator[bytes]:
    """Yield frames, the small ones joined with those behind them: every call of send may wake the other side."""
    waiting = b""
    for frame in frames:
        waiting += frame
        if len(waiting) >= _JOINED:
            yield waiting
            waiting = b""
    if waiting:
        yield waiting
