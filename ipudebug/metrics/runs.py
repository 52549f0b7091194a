"""The sums of runs of elements in two buffers: compiled where there was a compiler, else by numpy.

``_runs.c`` is the compiled twin, and the only thing in ipudebug that is compiled. It takes a third of the time; without
it the numbers are the same, but for the last of their sixteen digits. A test holds both together.
"""

from __future__ import annotations

import threading

import numpy as np

from ipudebug.metrics.sums import Sums

FIELDS = Sums.__slots__
_MAX_D, _NANS_A, _INFS_A = map(FIELDS.index, ("max_d", "nans_a", "infs_a"))
_PAGE = 512  # elements
_ROW = 1 << 7  # elements; short, as the last row of every run is filled up with zeros


class _Scratch(threading.local):
    """Memory to widen elements into, one a thread: getting fresh one each time would cost as much as the sums."""

    def __init__(self) -> None:
        self._flat = np.empty(0)
        self.ones = np.ones(_ROW)

    def take(self, elements: int) -> np.ndarray:
        """Return room for a, b and a-b, float64, shape (3, elements), from the beginning of a page on.

        NumPy's own memory begins within a cache line, which makes its loops slower by half.
        """
        if self._flat.size < 3 * elements:
            memory = np.empty(3 * elements + _PAGE)
            self._flat = memory[-memory.ctypes.data % (8 * _PAGE) // 8 :]
        return self._flat[: 3 * elements].reshape(3, elements)


_scratch = _Scratch()


def sum_runs_by_numpy(
    a: np.ndarray, b: np.ndarray, itemsize: int, starts: np.ndarray, sizes: np.ndarray, table: np.ndarray
) -> None:
    """Write the sums of k runs of elements, each of a = sample and b = benchmark, into ``table``.

    Every element is widened to float64 before anything is done with it. Sums are taken of rows of a hundred or so, and
    then of the rows, so that rounding errors do not grow with the run.

    Args:
        a: memory that holds the sample's elements, float32 or float64 of this machine; uint8.
        b: the same of the benchmark.
        itemsize: 4 or 8, for both sides.
        starts: where each run begins in a and in b, in bytes, aligned or not; int64, shape (2, k).
        sizes: elements of each run, at least 1; int64, shape (k,).
        table: float64, shape (fields of Sums, k); overwritten.

    Raises ValueError for a run that lies outside its buffer.
    """
    dtype = np.dtype(f"f{itemsize}")
    ends = np.cumsum(-(-sizes // _ROW) * _ROW)
    firsts = np.concatenate([[0], ends[:-1]])
    sides = _scratch.take(int(ends[-1]))
    for side, memory, offsets in zip(sides, (a, b), starts.tolist(), strict=False):
        for first, end, size, offset in zip(firsts.tolist(), ends.tolist(), sizes.tolist(), offsets, strict=True):
            side[first : first + size] = np.frombuffer(memory, dtype, size, offset)
            side[first + size : end] = 0
    rows = sides.reshape(3, -1, _ROW)
    parts = np.empty((8, rows.shape[1]))  # of each row, in the order of the fields of Sums behind n
    with np.errstate(all="ignore"):
        np.subtract(rows[0], rows[1], out=rows[2])
        np.vecdot(rows, rows, out=parts[0:3])
        np.vecdot(rows[0], rows[1], out=parts[3])
        np.matmul(rows[:2], _scratch.ones, out=parts[4:6])
        np.abs(rows[1:], out=rows[1:])
        np.matmul(rows[1:], _scratch.ones, out=parts[6:8])
        table[0] = sizes
        np.add.reduceat(parts, firsts // _ROW, axis=1, out=table[1:_MAX_D])
        np.maximum.reduceat(sides[2], firsts, out=table[_MAX_D])
        table[_NANS_A:] = 0
        if not np.isfinite(table[5:7]).all():
            for field, find in ((_NANS_A, np.isnan), (_INFS_A, np.isinf)):
                for side in (0, 1):
                    np.add.reduceat(find(sides[side]), firsts, dtype=np.float64, out=table[field + side])


try:
    from ipudebug.metrics._runs import sum_runs as sum_runs
except ImportError:
    sum_runs = sum_runs_by_numpy
