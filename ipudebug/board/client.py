"""The client's side of the protocol: its calls, and a model on a board."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ipudebug.board import protocol
from ipudebug.board.failures import BadAnswer
from ipudebug.board.link import BoardAddress, Call, Link
from ipudebug.board.protocol import PortFacts, read_port
from ipudebug.board.wire import LARGEST_PIECE


@dataclass(frozen=True, slots=True)
class BoardModel:
    """A model that is loaded on a board: its number there, the SHA-256 of its file, its buffers."""

    number: int
    digest: str
    inputs: tuple[PortFacts, ...]
    outputs: tuple[PortFacts, ...]


class BoardClient:
    """A board that was greeted; a context manager that closes the connection. See Link for the errors.

    Attributes:
        chip: of the board; "" when it does not say.
        server: what the board calls itself.
        version: of the payloads.
    """

    def __init__(self, address: BoardAddress) -> None:
        """Connect and greet."""
        self.address = address
        self._link = Link(address)
        try:
            self._greet()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> BoardClient:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection; the board forgets the models of it."""
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._link.close()

    def call(self, name: str, *arguments: Any) -> Any:
        """Return what one call gives."""
        return self._link.call_all([(name, arguments)])[0]

    def upload(self, data: bytes, piece: int = LARGEST_PIECE) -> None:
        """Send a model's file."""
        for start in range(0, max(1, len(data)), piece):
            part = data[start : start + piece]
            self._expect(self.call(protocol.UPLOAD, start, len(data), part), start + len(part), protocol.UPLOAD)

    def create(self, path: str = "", digest: str = "") -> BoardModel:
        """Load the model that was uploaded, or the one at a path on the board.

        ``digest`` is the SHA-256 that the file must have; "" for any.
        """
        answer = self.call(protocol.CREATE, path, digest)
        try:
            number, found, inputs, outputs = answer
            model = BoardModel(number, found, tuple(map(read_port, inputs)), tuple(map(read_port, outputs)))
        except (TypeError, ValueError) as reason:
            raise self._strange(protocol.CREATE, str(reason)) from None
        if type(number) is not int or type(found) is not str:
            raise self._strange(protocol.CREATE, f"a model {number!r}")
        return model

    def run(self, model: BoardModel, buffers: Sequence[bytes]) -> list[bytes]:
        """Return the output buffers of a model that is fed with these input buffers.

        Everything is sent at once, so that a run costs one round trip, whatever the number of inputs and outputs.
        """
        calls: list[Call] = []
        for place, data in enumerate(buffers):
            calls += [
                (protocol.SET_INPUT, (model.number, place, start, data[start : start + LARGEST_PIECE]))
                for start in range(0, len(data), LARGEST_PIECE)
            ]
        calls.append((protocol.INVOKE, (model.number,)))
        ahead = len(calls)
        places = []
        for place, port in enumerate(model.outputs):
            for start in range(0, port.size, LARGEST_PIECE):
                places.append((place, min(LARGEST_PIECE, port.size - start)))
                calls.append((protocol.GET_OUTPUT, (model.number, place, start, places[-1][1])))
        outputs = [bytearray() for _ in model.outputs]
        for (place, size), piece in zip(places, self._link.call_all(calls)[ahead:], strict=True):
            if not isinstance(piece, bytes) or len(piece) != size:
                found = f"{len(piece):,} bytes" if isinstance(piece, bytes) else type(piece).__name__
                raise self._strange(protocol.GET_OUTPUT, f"{found} of output {place}, expected {size:,} bytes")
            outputs[place] += piece
        return [bytes(data) for data in outputs]

    def destroy(self, model: BoardModel) -> None:
        """Let the board forget a model."""
        self.call(protocol.DESTROY, model.number)

    def _greet(self) -> None:
        """Say what is spoken here, and hear what the board is."""
        answer = self.call(protocol.HELLO, protocol.OLDEST, protocol.NEWEST, self.address.token)
        fits = isinstance(answer, list) and len(answer) >= 5
        if not fits or [type(item) for item in answer[:5]] != [int, str, str, int, int]:
            raise self._strange(protocol.HELLO, repr(answer)[:80])
        self.version, self.server, self.chip = answer[:3]
        if not protocol.OLDEST <= self.version <= protocol.NEWEST:
            raise self._strange(protocol.HELLO, f"version {self.version}")

    def _expect(self, found: Any, expected: int, name: str) -> None:
        """Raise BadAnswer unless a call gave the number of bytes that were sent."""
        if found != expected:
            raise self._strange(name, f"{found!r}, expected {expected}")

    def _strange(self, name: str, found: str) -> BadAnswer:
        """Return the error for an answer that the protocol does not have."""
        message = f"{self.address}: an answer to {name} that does not fit: {found}"
        return BadAnswer(message, "compare the server with docs/board-protocol.md")
