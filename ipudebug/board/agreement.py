"""Two buffers of one output, the board's and the PC's -> what differs, by how much, and why, where that can be told."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ipudebug.board.protocol import PortFacts

_MOST_CHANNELS = 4096


class Cause(enum.Enum):
    """Why a board's output is not the PC's."""

    STALE = "stale"
    ZERO = "zero"
    STRIDE = "stride"
    CHANNELS = "channels"
    LAYOUT = "layout"
    BYTE_ORDER = "byte order"
    SIGN = "sign"
    ROUNDING = "rounding"
    VALUES = "values"


@dataclass(frozen=True, slots=True)
class Difference:
    """One output that differs.

    Attributes:
        output: name of the tensor.
        cause: what explains all of it; ROUNDING where no element is more than one step off, VALUES where nothing does.
        count, total: elements that differ, and all of them; alignment does not count.
        largest: the largest difference, in steps of the stored integers (or as it is, of floats).
        first: index of the first element that differs, in the shape of the output.
        order: for CHANNELS, the PC's channel that stands in each place.
    """

    output: str
    cause: Cause
    count: int
    total: int
    largest: float
    first: tuple[int, ...]
    order: tuple[int, ...] = ()


def find_difference(port: PortFacts, pc: bytes, board: bytes, before: bytes | None = None) -> Difference | None:
    """Return how the board's buffer differs from the PC's, or None where all elements have the same bits.

    Args:
        port: facts of the output.
        pc: the whole buffer, alignment included.
        board: the same of the board's, of the same size.
        before: the PC's buffer of the image before; None if there was none.
    """
    wanted, found = read_elements(pc, port), read_elements(board, port)
    differs = (wanted != found) & ~((wanted != wanted) & (found != found))
    count = int(np.count_nonzero(differs))
    if not count:
        return None
    with np.errstate(invalid="ignore", over="ignore"):
        steps = np.abs(found.astype(np.float64) - wanted.astype(np.float64))
    largest = float(np.nanmax(steps)) if not np.all(np.isnan(steps)) else math.nan
    first = tuple(int(place) for place in np.argwhere(differs)[0]) if differs.ndim else ()
    cause, order = _explain(port, wanted, found, board, before, largest)
    return Difference(port.name, cause, count, wanted.size, largest, first, order)


def read_elements(data: bytes, port: PortFacts) -> np.ndarray:
    """Return the elements in a buffer, without its alignment, in the shape of the output."""
    elements = np.frombuffer(data, np.dtype(port.dtype))
    if not port.shape:
        return elements.reshape(())
    aligned: np.ndarray = elements.reshape(*port.shape[:-1], -1)[..., : port.shape[-1]]
    return aligned


def _explain(
    port: PortFacts, wanted: np.ndarray, found: np.ndarray, board: bytes, before: bytes | None, largest: float
) -> tuple[Cause, tuple[int, ...]]:
    """Return the cause, and the order of the channels if that is it; the first that explains every element."""
    if before is not None and np.array_equal(read_elements(before, port), found):
        return Cause.STALE, ()
    if not found.any():
        return Cause.ZERO, ()
    for cause, changed in _change(port, wanted, board):
        if np.array_equal(changed, wanted):
            return cause, ()
    order = _find_order(wanted, found)
    if order:
        return Cause.CHANNELS, order
    return (Cause.ROUNDING if wanted.dtype.kind in "iu" and largest <= 1 else Cause.VALUES), ()


def _change(port: PortFacts, wanted: np.ndarray, board: bytes) -> Iterator[tuple[Cause, np.ndarray]]:
    """Yield the board's buffer read in the ways that would explain it, each with its cause."""
    dense = np.frombuffer(board, wanted.dtype)[: wanted.size]
    yield Cause.STRIDE, dense.reshape(wanted.shape)
    found = read_elements(board, port)
    if wanted.ndim == 4:
        n, h, w, c = wanted.shape
        for values in (np.ascontiguousarray(found).reshape(-1), dense):
            yield Cause.LAYOUT, values.reshape(n, c, h, w).transpose(0, 2, 3, 1)
    if wanted.dtype.itemsize > 1:
        yield Cause.BYTE_ORDER, found.byteswap()
    if wanted.dtype.kind in "iu":
        top = 1 << (8 * wanted.dtype.itemsize - 1)
        unsigned = np.ascontiguousarray(found).view(f"u{wanted.dtype.itemsize}")
        yield Cause.SIGN, (unsigned ^ unsigned.dtype.type(top)).view(wanted.dtype)


def _find_order(wanted: np.ndarray, found: np.ndarray) -> tuple[int, ...]:
    """Return the PC's channel that stands in each place of the board's, or () where it is no reordering."""
    if wanted.ndim == 0 or not 2 <= wanted.shape[-1] <= _MOST_CHANNELS:
        return ()
    mine, theirs = ([column.tobytes() for column in _columns(array)] for array in (wanted, found))
    places: dict[bytes, list[int]] = {}
    for place, column in enumerate(mine):
        places.setdefault(column, []).append(place)
    order = []
    for place, column in enumerate(theirs):
        known = places.get(column)
        if not known:
            return ()
        order.append(place if place in known else known[0])
        known.remove(order[-1])
    return tuple(order)


def _columns(array: np.ndarray) -> np.ndarray:
    """Return [channels, rest], contiguous."""
    return np.ascontiguousarray(array.reshape(-1, array.shape[-1]).T)


def find_fact_changes(ours: Sequence[PortFacts], theirs: Sequence[PortFacts]) -> list[tuple[str, str, str, str]]:
    """Return (name, what, PC's, board's) for every fact of the buffers that the two sides state differently."""
    changes = []
    if len(ours) != len(theirs):
        changes.append(("model", "number", str(len(ours)), str(len(theirs))))
    for mine, other in zip(ours, theirs, strict=False):
        for field in ("name", "dtype", "shape", "size", "scale", "zero_point"):
            wanted, found = getattr(mine, field), getattr(other, field)
            if wanted != found:
                changes.append((mine.name, field, str(wanted), str(found)))
    return changes
