"""One pass over pairs of tensors -> their Sums, in bounded memory.

All sums are taken in float64, in chunks that stay in a core's cache. Small tensors go through many at a time, because a
few numpy calls each would cost more than their elements.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

import numpy as np

from ipudebug.metrics import Stream
from ipudebug.metrics.runs import FIELDS, sum_runs
from ipudebug.metrics.sums import Sums, join_sums
from ipudebug.tensor import Tensor, gather

Pair = tuple[Tensor, Tensor]
"""Sample and benchmark, of equal size."""

CHUNK = 1 << 16
"""Elements that are read at once: what is made of them stays in a core's L2 cache."""

_LEAST = 1 << 7  # what a tensor counts for at least in a batch: it has a header beside it, and fills a row
_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
_MAX_D = FIELDS.index("max_d")


class _Scratch(threading.local):
    """Memory that the passes of one thread read into: getting fresh one each time would cost as much as they do."""

    def __init__(self) -> None:
        self.sides = np.empty((2, CHUNK * _FLOAT64.itemsize), np.uint8)


_scratch = _Scratch()


def sum_pairs(pairs: Sequence[Pair]) -> Sums:
    """Return the sums of any pairs, none of them empty; shape (len(pairs),)."""
    parts: list[Sums] = []
    for group in split_batches(pairs, CHUNK):
        size = group[0][0].info.size
        parts.append(sum_pair(group[0], 0, size) if size > CHUNK else _sum_group(group))
    return join_sums(parts)


def split_batches(pairs: Iterable[Pair], elements: int) -> list[list[Pair]]:
    """Group pairs in their order: consecutive ones up to about ``elements`` together.

    A pair that is larger than ``elements`` is alone.
    """
    batches: list[list[Pair]] = []
    room = 0
    for pair in pairs:
        size = max(pair[0].info.size, _LEAST)
        if size > room:
            batches.append([])
            room = elements
        batches[-1].append(pair)
        room -= size
    return batches


def _sum_group(pairs: Sequence[Pair]) -> Sums:
    """Return the sums of pairs that fit into the scratch together."""
    dtype = _FLOAT32 if all(_is_float32(pair) for pair in pairs) else _FLOAT64
    sizes = np.array([sample.info.size for sample, _ in pairs])
    samples, benchmarks = zip(*pairs, strict=True)
    a, b = _scratch.sides
    starts = np.array([gather(samples, a, dtype), gather(benchmarks, b, dtype)])
    table = np.empty((len(FIELDS), len(pairs)))
    sum_runs(a, b, dtype.itemsize, starts, sizes, table)
    return Sums(*table)


def sum_pair(pair: Pair, start: int, stop: int, streams: Sequence[Stream] = ()) -> Sums:
    """Return the sums of elements start..stop; each of ``streams`` sees every chunk."""
    dtype = _FLOAT32 if _is_float32(pair) and not streams else _FLOAT64
    chunks = range(start, stop, CHUNK)
    a, b = _scratch.sides
    sides = a.view(dtype), b.view(dtype)
    table = np.empty((len(chunks), len(FIELDS), 1))
    starts = np.zeros((2, 1), np.int64)
    for part, at in zip(table, chunks, strict=True):
        read = [side[: min(CHUNK, stop - at)] for side in sides]
        for tensor, side in zip(pair, read, strict=True):
            tensor.copy_into(side, at)
        for stream in streams:
            stream.update(*read)
        sum_runs(a, b, dtype.itemsize, starts, np.array([len(read[0])]), part)
    with np.errstate(invalid="ignore"):  # inf - inf
        total = table.sum(axis=0)
    total[_MAX_D] = table[:, _MAX_D].max(axis=0)
    return Sums(*total)


def _is_float32(pair: Pair) -> bool:
    """Return whether both sides can be read as they are stored: anything else is widened to float64."""
    return pair[0].info.dtype == pair[1].info.dtype == _FLOAT32
