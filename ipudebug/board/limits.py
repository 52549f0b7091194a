"""What a server allows its clients, one by one and all together."""

from __future__ import annotations

from dataclasses import dataclass

from ipudebug.board.protocol import Refusal
from ipudebug.board.wire import LARGEST_BODY

GREETING_BODY = 4096
"""Bytes of a body before the greeting."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds.

    Attributes:
        body: of one call.
        clients: connections at a time.
        models: of all clients together.
        models_each: of one client.
        model_size: of a model's file.
        storage: of all files that were uploaded and not loaded yet.
        memory: what the server itself holds for its clients: bodies, buffers of inputs and outputs.
        model_memory: address space of the process that one model runs in.
        greeting: from connecting to the greeting.
        frame: from the first byte of a frame to its last, and from an answer to its arrival.
        idle: from one call to the next.
        load, run: of a model.
        grace: for calls that are under way when the server stops.
    """

    body: int = LARGEST_BODY
    clients: int = 256
    models: int = 16
    models_each: int = 4
    model_size: int = 256 << 20
    storage: int = 1 << 30
    memory: int = 512 << 20
    model_memory: int = 4 << 30
    greeting: float = 10.0
    frame: float = 30.0
    idle: float = 600.0
    load: float = 60.0
    run: float = 60.0
    grace: float = 5.0


class Budget:
    """Bytes that all clients share: what one takes the others cannot have."""

    def __init__(self, total: int, noun: str) -> None:
        """Start with nothing taken; ``noun`` is what messages call it."""
        self.taken = 0
        self.peak = 0
        self._total = total
        self._noun = noun

    def take(self, count: int) -> None:
        """Take bytes; raises Refusal when there are not so many left."""
        if self.taken + count > self._total:
            raise Refusal("busy", f"the {self._noun} of this server is taken: {self.taken:,} of {self._total:,} bytes")
        self.taken += count
        self.peak = max(self.peak, self.taken)

    def give(self, count: int) -> None:
        """Give bytes back."""
        self.taken -= count
