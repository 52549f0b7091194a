"""One pass over a pair of tensors -> its Sums, in bounded memory.

Two kernels take the same sums:

* the **exact** pass: float64, in chunks that stay in a core's cache; the definition of every number that ipudebug
  reports. Small tensors go through it many at a time, because ten numpy calls each would cost more than their elements.
* the **fast** pass: float32 in rows of 1024, float64 across the rows. It takes half the time on large tensors, and is
  used only where its result cannot show: see ``needs_exact`` and ``Metric.error``.

Both sum rows of a few hundred elements with ``vecdot`` and ``matmul``, which end in the BLAS: several times as fast as
numpy's own sums, and their rounding errors do not grow with the tensor.

COS comes from S(ab) = (S(aa) + S(bb) - S(dd)) / 2 in the fast pass, which near COS = 1 is four digits better than
summing the products; the exact pass sums them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

import numpy as np

from ipudebug.metrics import Stream
from ipudebug.metrics.sums import Sums, join_sums, make_sums, merge_sums
from ipudebug.tensor import Tensor

Pair = tuple[Tensor, Tensor]
"""Sample and benchmark, of equal size."""

LARGE = 1 << 18
"""From this many elements on a fast pass is tried first; below, checking it would cost what it saves."""

_ROW = 1 << 10
_CHUNK = 1 << 16  # three float32 rows of it stay in a core's L2 cache
_STRETCH = 1 << 24  # elements whose row sums are kept until they are added up
_MUCH = 0.05  # share of a sum in one row: an even share is 1/256 or less, as LARGE elements have as many rows

_EXACT_ROW = 1 << 7  # short, as every small tensor fills its last one up with zeros
_EXACT_CHUNK = 1 << 15
_NO_START = np.zeros(1, np.intp)


class _Scratch(threading.local):
    """Memory that the passes of one thread work in: getting fresh one each time would cost as much as they do."""

    def __init__(self) -> None:
        self.fast = _make_aligned((3, _CHUNK), np.float32)  # a, b, a-b
        self.exact = _make_aligned((3, _EXACT_CHUNK), np.float64)  # a, b, a-b
        self.stored = _make_aligned((2, _EXACT_CHUNK), np.float32)  # a, b as they are read
        self.ones = np.ones(_ROW, np.float32)
        self.exact_ones = np.ones(_EXACT_ROW)


def _make_aligned(shape: tuple[int, int], dtype: type) -> np.ndarray:
    """Return an uninitialised array that begins at a page: numpy's own begin within a cache line."""
    size = shape[0] * shape[1] * np.dtype(dtype).itemsize
    raw = np.empty(size + 4096, np.uint8)
    start = -raw.ctypes.data % 4096
    return raw[start : start + size].view(dtype).reshape(shape)


_scratch = _Scratch()


def measure_exactly(pairs: Sequence[Pair]) -> Sums:
    """Return the exact sums of any pairs, none of them empty; shape (len(pairs),)."""
    parts: list[Sums] = []
    for group in split_batches(pairs, _EXACT_CHUNK, _EXACT_ROW):
        size = group[0][0].info.size
        parts.append(measure_exact(group[0], 0, size) if size > _EXACT_CHUNK else _measure_group(group))
    return join_sums(parts)


def split_batches(pairs: Iterable[Pair], elements: int, row: int = 1) -> list[list[Pair]]:
    """Group pairs in their order: consecutive ones up to ``elements`` together, each counted in whole rows.

    A pair that is larger than ``elements`` is alone.
    """
    batches: list[list[Pair]] = []
    room = 0
    for pair in pairs:
        size = -(-pair[0].info.size // row) * row
        if size > room:
            batches.append([])
            room = elements
        batches[-1].append(pair)
        room -= size
    return batches


def _measure_group(pairs: Sequence[Pair]) -> Sums:
    """Return the exact sums of pairs that fit into the scratch together."""
    sizes = np.array([sample.info.size for sample, _ in pairs])
    lengths = -(-sizes // _EXACT_ROW) * _EXACT_ROW
    starts = np.cumsum(lengths) - lengths
    return Sums(*_sum_runs(_read_runs(pairs, 0, starts, sizes), starts, sizes))


def measure_exact(pair: Pair, start: int, stop: int, streams: Sequence[Stream] = ()) -> Sums:
    """Return the exact sums of elements start..stop; each of ``streams`` sees every chunk."""
    total = np.zeros((len(Sums.__slots__), 1))
    for at in range(start, stop, _EXACT_CHUNK):
        sizes = np.array([min(_EXACT_CHUNK, stop - at)])
        rows = _read_runs([pair], at, _NO_START, sizes)
        for stream in streams:
            stream.update(*(side.reshape(-1)[: sizes[0]] for side in rows[:2]))
        part = _sum_runs(rows, _NO_START, sizes)
        largest = np.maximum(total[_MAX_D], part[_MAX_D])
        with np.errstate(invalid="ignore"):  # inf - inf
            total += part
        total[_MAX_D] = largest
    return Sums(*total)


_MAX_D = Sums.__slots__.index("max_d")


def _read_runs(pairs: Sequence[Pair], at: int, starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Read ``sizes`` elements from ``at`` on of each pair into the scratch of the exact pass, at ``starts``.

    Returns its used part, shape (3, rows, _EXACT_ROW): a, b, and room for a-b. Runs are filled up with zeros, which
    change no sum.
    """
    used = int(starts[-1] + -(-sizes[-1] // _EXACT_ROW) * _EXACT_ROW)
    exact = _scratch.exact[:2, :used]
    # Elements are read as they are stored and widened together: one numpy call rather than one a tensor.
    is_float = all(a.info.dtype == b.info.dtype == np.float32 for a, b in pairs)
    target = _scratch.stored[:, :used] if is_float else exact
    target[:] = 0
    for pair, start, size in zip(pairs, starts.tolist(), sizes.tolist(), strict=True):
        for tensor, side in zip(pair, target, strict=True):
            tensor.copy_into(side[start : start + size], at)
    if is_float:
        np.copyto(exact, target)
    return _scratch.exact.reshape(3, -1, _EXACT_ROW)[:, : used // _EXACT_ROW]


def _sum_runs(rows: np.ndarray, starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return the sums of the runs that ``_read_runs`` has read; shape (fields of Sums, runs)."""
    table = np.zeros((len(Sums.__slots__), len(starts)))
    parts = np.empty((8, rows.shape[1]))  # of each row, in the order of the fields of Sums
    ones = _scratch.exact_ones
    with np.errstate(all="ignore"):
        np.subtract(rows[0], rows[1], out=rows[2])
        np.vecdot(rows, rows, out=parts[0:3])
        np.vecdot(rows[0], rows[1], out=parts[3])
        np.matmul(rows[:2], ones, out=parts[4:6])
        np.abs(rows[1:], out=rows[1:])
        np.matmul(rows[1:], ones, out=parts[6:8])
        table[0] = sizes
        np.add.reduceat(parts, starts // _EXACT_ROW, axis=1, out=table[1:9])
        np.maximum.reduceat(rows[2].reshape(-1), starts, out=table[_MAX_D])
        if not np.isfinite(table[5:7]).all():
            for number, find in ((10, np.isnan), (12, np.isinf)):
                for side in (0, 1):
                    found = find(rows[side]).reshape(-1)
                    np.add.reduceat(found, starts, dtype=np.float64, out=table[number + side])
    return table


def is_fast(pair: Pair) -> bool:
    """Return whether the fast pass is made for this pair: two large float32 tensors."""
    sample, benchmark = (tensor.info for tensor in pair)
    return sample.size >= LARGE and sample.dtype == benchmark.dtype == np.float32


def measure_fast(pair: Pair, start: int, stop: int) -> Sums:
    """Return the sums of elements start..stop by the fast pass; ``a``, ``b`` and ``max_d`` are NaN (not taken).

    A NaN or an infinity in the data makes a sum that is not finite, but is not counted: measure such a pair exactly.
    Rounding errors cancel over many rows; where one row bears much of a sum they do not, and the exact pass is taken.
    """
    parts = []
    for at in range(start, stop, _STRETCH):
        end = min(at + _STRETCH, stop)
        whole = at + (end - at) // _ROW * _ROW
        squares, sums = _sum_rows(pair, at, whole)
        with np.errstate(invalid="ignore"):
            uneven = (squares.max(axis=1, initial=0) > _MUCH * squares.sum(axis=1, dtype=np.float64)).any()
        exact_from = at if uneven else whole
        parts += [] if uneven else [sums]
        parts += [measure_exact(pair, exact_from, end)] if exact_from < end else []
    return merge_sums(parts)


def _sum_rows(pair: Pair, start: int, stop: int) -> tuple[np.ndarray, Sums]:
    """Return S(aa), S(bb) and S(dd) of each row of elements start..stop, shape (3, rows), and the sums of them all."""
    sample, benchmark = pair
    count = (stop - start) // _ROW
    squares, absolutes = np.empty((3, count), np.float32), np.empty((2, count), np.float32)
    with np.errstate(all="ignore"):
        for first in range(0, count, _CHUNK // _ROW):
            last = min(first + _CHUNK // _ROW, count)
            chunk = _scratch.fast[:, : (last - first) * _ROW]
            rows = _scratch.fast.reshape(3, -1, _ROW)[:, : last - first]
            sample.copy_into(chunk[0], start + first * _ROW)
            benchmark.copy_into(chunk[1], start + first * _ROW)
            np.subtract(chunk[0], chunk[1], out=chunk[2])
            np.vecdot(rows, rows, out=squares[:, first:last])
            np.abs(rows[1:], out=rows[1:])
            np.vecdot(rows[1:], _scratch.ones, out=absolutes[:, first:last])
        aa, bb, dd = squares.sum(axis=1, dtype=np.float64)
        abs_b, abs_d = absolutes.sum(axis=1, dtype=np.float64)
        sums = make_sums(
            n=count * _ROW, aa=aa, bb=bb, dd=dd, ab=(aa + bb - dd) / 2, abs_b=abs_b, abs_d=abs_d, a=np.nan, b=np.nan,
            max_d=np.nan,
        )  # fmt: skip
    return squares, sums


def sample_error(pair: Pair) -> float:
    """Return the largest relative error of a sum of the fast pass, measured against the exact one on samples.

    The samples are 32 rows in 4096, at least 32. Rounding errors cancel in most data, but not where many elements are
    alike (constants, a bias, one channel that dwarfs the others), and how much is left depends on the BLAS.
    """
    length = 32 * _ROW
    count = pair[0].info.size // length
    worst = 0.0
    for number in range(min(count, 128) // 2, count, 128):
        bounds = number * length, (number + 1) * length
        fast, exact = _sum_rows(pair, *bounds)[1], measure_exact(pair, *bounds)
        for name in ("aa", "bb", "dd", "abs_d", "abs_b"):
            right = float(getattr(exact, name)[0])
            if right:
                worst = max(worst, abs(float(getattr(fast, name)[0]) - right) / right)
    return worst


def needs_exact(sums: Sums) -> bool:
    """Return whether the fast pass was out of its depth: NaN, Inf, squares near float32's limits, unlike norms."""
    aa, bb, dd, n = (float(value[0]) for value in (sums.aa, sums.bb, sums.dd, sums.n))
    if not np.isfinite(aa + bb + dd + float(sums.abs_d[0]) + float(sums.abs_b[0])):
        return True
    means = [value / n for value in (aa, bb, dd) if value]
    # A square below float32's smallest normal number has lost digits, or is zero although the element is not.
    return any(not 1e-24 < mean < 1e24 for mean in means) or not 1e-6 < aa / max(bb, 1e-300) < 1e6 or dd == 0
