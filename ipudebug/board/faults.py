"""Faults that a server has on purpose, so that the way to a board can be tested without one.

============== ================================================================================================
name           what goes wrong
============== ================================================================================================
delay=SECONDS  every run takes that much longer
drop=BYTES     a connection is cut when so many bytes of answers have been sent on it
wrong-chip     every model is taken for one of another chip
stale          the outputs are those of the run before; zeros after the first
swap-channels  the first and the last channel of every output are exchanged
noise          every second element is one step off
unaligned      the rows of an output lie one behind the other, and what fills them up is at the end of the buffer
============== ================================================================================================
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ipudebug.board.protocol import PortFacts
from ipudebug.errors import BoardError

Change = Callable[[np.ndarray], np.ndarray]


def _swap_channels(rows: np.ndarray) -> np.ndarray:
    """Return [R, C] with its first and last column exchanged."""
    order = np.arange(rows.shape[1])
    order[[0, -1]] = order[[-1, 0]]
    swapped: np.ndarray = rows[:, order]
    return swapped


def _add_noise(rows: np.ndarray) -> np.ndarray:
    """Return [R, C] with every second element one step nearer to zero, or one above it."""
    flat = rows.reshape(-1).copy()
    steps = np.where(flat[::2] > 0, -1, 1).astype(flat.dtype)
    flat[::2] += steps
    noisy: np.ndarray = flat.reshape(rows.shape)
    return noisy


CHANGES: dict[str, Change] = {"swap-channels": _swap_channels, "noise": _add_noise}
SWITCHES = ("wrong-chip", "stale", "swap-channels", "noise", "unaligned")
AMOUNTS = ("delay", "drop")
NAMES = (*(f"{name}=N" for name in AMOUNTS), *SWITCHES)


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults of one server.

    Attributes:
        delay: seconds that every run takes longer.
        drop: bytes of answers after which a connection is cut; None for never.
        switches: names of the others.
    """

    delay: float = 0.0
    drop: int | None = None
    switches: frozenset[str] = frozenset()

    def spoil(
        self, outputs: Sequence[bytes], before: Sequence[bytes] | None, ports: Sequence[PortFacts]
    ) -> list[bytes]:
        """Return output buffers with the faults in them; ``before`` are those of the run before."""
        if "stale" in self.switches:
            outputs = before if before is not None else [bytes(len(data)) for data in outputs]
        return [self._spoil(data, port) for data, port in zip(outputs, ports, strict=True)]

    def _spoil(self, data: bytes, port: PortFacts) -> bytes:
        """Return one buffer with the faults in it."""
        changes = [CHANGES[name] for name in CHANGES if name in self.switches]
        if not changes and "unaligned" not in self.switches:
            return data
        rows = split_rows(data, port)
        width = port.shape[-1] if port.shape else 1
        dense = rows[:, :width]
        for change in changes:
            dense = change(dense)
        if "unaligned" in self.switches:
            return dense.tobytes().ljust(len(data), b"\0")
        rows = rows.copy()
        rows[:, :width] = dense
        spoilt: bytes = rows.tobytes()
        return spoilt


def split_rows(data: bytes, port: PortFacts) -> np.ndarray:
    """Return a buffer as [rows, elements], alignment included; raises ValueError where the facts do not fit it."""
    elements = np.frombuffer(data, np.dtype(port.dtype))
    count = math.prod(port.shape[:-1])
    return elements.reshape(count, -1)


def parse_faults(texts: Iterable[str]) -> Faults:
    """Return what the options ``--fault`` say; raises BoardError."""
    delay, drop, switches = 0.0, None, set()
    for text in texts:
        name, _, amount = text.partition("=")
        if name == "delay":
            delay = _read_amount(text, amount)
        elif name == "drop":
            drop = int(_read_amount(text, amount))
        elif name in SWITCHES and not amount:
            switches.add(name)
        else:
            raise BoardError(f"--fault {text}: no such fault", f"known: {', '.join(NAMES)}")
    return Faults(delay, drop, frozenset(switches))


def _read_amount(text: str, amount: str) -> float:
    """Return the number of a fault; raises BoardError."""
    try:
        value = float(amount)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e9:
        raise BoardError(f"--fault {text}: expected a number behind '='", "for example delay=0.5 or drop=1000")
    return value
