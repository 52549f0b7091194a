"""A model that a client has loaded on the server, with its buffers."""

from __future__ import annotations

import asyncio

from ipudebug.board import protocol
from ipudebug.board.engine import Session
from ipudebug.board.faults import Faults
from ipudebug.board.protocol import Refusal
from ipudebug.board.wire import LARGEST_PIECE


def measure_buffers(session: Session) -> int:
    """Return the bytes of a model's buffers; those of the outputs may be there twice."""
    return sum(port.size for port in session.inputs) + 2 * sum(port.size for port in session.outputs)


class LoadedModel:
    """A model, its input buffers as far as they have come, and the outputs of its last run."""

    def __init__(self, session: Session) -> None:
        """Begin with empty inputs and no outputs."""
        self.session = session
        self._inputs = [bytearray(port.size) for port in session.inputs]
        self._filled = [0] * len(self._inputs)
        self._outputs: list[bytes] | None = None
        self._before: list[bytes] | None = None

    def set_input(self, place: int, offset: int, piece: bytes) -> int:
        """Return how many bytes of an input have come; pieces come in order, offset 0 begins anew. Raises Refusal."""
        if place >= len(self._inputs):
            raise Refusal("bad_request", f"input {place}: the model has {len(self._inputs)}")
        buffer, filled = self._inputs[place], self._filled[place]
        if offset not in (0, filled):
            raise Refusal("bad_request", f"input {place}: expected the piece at {filled}, found the one at {offset}")
        if offset + len(piece) > len(buffer):
            found = f"expected {len(buffer):,} bytes, found a piece that ends at {offset + len(piece):,}"
            raise Refusal("too_large", f"input {place}: {found}")
        buffer[offset : offset + len(piece)] = piece
        self._filled[place] = offset + len(piece)
        return self._filled[place]

    def check_inputs(self) -> None:
        """Raise Refusal unless all inputs are complete."""
        for place, (buffer, filled) in enumerate(zip(self._inputs, self._filled, strict=True)):
            if filled != len(buffer):
                raise Refusal("bad_request", f"input {place}: expected {len(buffer):,} bytes, {filled:,} have come")

    async def run(self, faults: Faults) -> float:
        """Run the model, and return the seconds that it took; raises Refusal."""
        clock = asyncio.get_running_loop().time
        start = clock()
        outputs = await self.session.run(self._inputs)
        seconds = clock() - start
        if faults.delay:
            await asyncio.sleep(faults.delay)
        self._outputs = faults.spoil(outputs, self._before, self.session.outputs)
        self._before = outputs if "stale" in faults.switches else None
        return seconds

    def get_output(self, place: int, offset: int, count: int) -> bytes:
        """Return bytes of an output buffer of the last run; raises Refusal."""
        if place >= len(self.session.outputs):
            raise Refusal("bad_request", f"output {place}: the model has {len(self.session.outputs)}")
        if self._outputs is None:
            raise Refusal("bad_request", f"{protocol.GET_OUTPUT} before {protocol.INVOKE}")
        data = self._outputs[place]
        if count > LARGEST_PIECE or offset + count > len(data):
            found = f"expected at most {LARGEST_PIECE:,} of {len(data):,} bytes, found {count:,} at {offset:,}"
            raise Refusal("too_large", f"output {place}: {found}")
        return data[offset : offset + count]
