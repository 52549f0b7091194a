"""One pass over a pair of tensors -> its Sums, in bounded memory.

Two kernels take the same sums:

* the **exact** pass: float64, chunks of 16 Ki elements; the definition of every number that ipudebug reports.
* the **fast** pass: float32 in rows of 1024, float64 across the rows. It is several times faster on large tensors, and
  is used only where its result cannot show: see ``needs_exact`` and ``Metric.error``.

Small tensors are measured many at a time (``measure_batch``), because ten numpy calls each would cost more than their
elements. COS comes from S(ab) = (S(aa) + S(bb) - S(dd)) / 2 in the fast pass, which near COS = 1 is four digits better
than summing the products; the exact pass sums them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ipudebug.metrics import Stream
from ipudebug.metrics.sums import Sums, make_sums, merge_sums
from ipudebug.tensor import Tensor

Pair = tuple[Tensor, Tensor]
"""Sample and benchmark, of equal size."""

SMALL = 1 << 16
"""Up to this many elements a pair shares a batch with others; above, it is measured alone."""

LARGE = 1 << 17
"""From this many elements on a fast pass is tried first; below, checking it would cost what it saves."""

_ROW = 1 << 10
_CHUNK = 1 << 15  # five float32 rows of it stay in a core's L2 cache
_EXACT_CHUNK = 1 << 14
_MUCH = 0.05  # share of a sum in one row: an even share is 1/128 or less, as LARGE elements have as many rows


class _Scratch:
    """Five cache-line-aligned rows [a, b, a-b, |b|, |a-b|] and the views on them that the fast pass uses."""

    def __init__(self) -> None:
        raw = np.empty(5 * _CHUNK * 4 + 4096, np.uint8)
        start = -raw.ctypes.data % 4096
        rows = raw[start : start + 5 * _CHUNK * 4].view(np.float32).reshape(5, _CHUNK)
        self.a, self.b, self.d, _, self.abs_d = rows
        self.signed = rows[1:3]
        self.absolute = rows[3:5]
        self.square = rows[0:3].reshape(3, -1, _ROW)
        self.linear = rows[3:5].reshape(2, -1, _ROW)
        self.ones = np.ones(_ROW, np.float32)


def is_fast(pair: Pair) -> bool:
    """Return whether the fast pass is made for this pair: two large float32 tensors."""
    sample, benchmark = (tensor.info for tensor in pair)
    return sample.size >= LARGE and sample.dtype == benchmark.dtype == np.float32


def measure_fast(pair: Pair, start: int, stop: int) -> Sums:
    """Return the sums of elements start..stop by the fast pass; ``a`` and ``b`` are NaN (not taken).

    A NaN or an infinity in the data makes a sum that is not finite, but is not counted: measure such a pair exactly.
    Rounding errors cancel over many rows; where one row bears much of a sum they do not, and the exact pass is taken.
    """
    sample, benchmark = pair
    scratch = _Scratch()
    squares, absolutes, largest, heaviest = np.zeros(3), np.zeros(2), np.float32(0), np.zeros(3, np.float32)
    whole = start + (stop - start) // _CHUNK * _CHUNK
    with np.errstate(all="ignore"):
        for at in range(start, whole, _CHUNK):
            sample.copy_into(scratch.a, at)
            benchmark.copy_into(scratch.b, at)
            np.subtract(scratch.a, scratch.b, out=scratch.d)
            np.abs(scratch.signed, out=scratch.absolute)
            rows = np.vecdot(scratch.square, scratch.square)
            squares += rows.sum(axis=1, dtype=np.float64)
            heaviest = np.maximum(heaviest, rows.max(axis=1))
            absolutes += np.vecdot(scratch.linear, scratch.ones).sum(axis=1, dtype=np.float64)
            largest = np.maximum(largest, scratch.abs_d.max())
        aa, bb, dd = squares
        ab = (aa + bb - dd) / 2
        if (heaviest > _MUCH * squares).any():
            return measure_exact(pair, start, stop)
    abs_b, abs_d = absolutes
    nan = float("nan")
    body = make_sums(
        n=whole - start, aa=aa, bb=bb, ab=ab, dd=dd, abs_d=abs_d, abs_b=abs_b, a=nan, b=nan,
        max_d=largest,
    )  # fmt: skip
    return merge_sums([body, measure_exact(pair, whole, stop)]) if whole < stop else body


def sample_error(pair: Pair) -> float:
    """Return the largest relative error of a sum of the fast pass, measured against the exact one on samples.

    The samples are one chunk in 128, at least one. Rounding errors cancel in most data, but not where many elements are
    alike (constants, a bias, one channel that dwarfs the others), and how much is left depends on the BLAS.
    """
    chunks = pair[0].info.size // _CHUNK
    worst = 0.0
    for number in range(min(chunks, 128) // 2, chunks, 128):
        bounds = number * _CHUNK, (number + 1) * _CHUNK
        fast, exact = measure_fast(pair, *bounds), measure_exact(pair, *bounds)
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


def measure_exact(pair: Pair, start: int, stop: int, streams: Sequence[Stream] = ()) -> Sums:
    """Return the sums of elements start..stop in float64; each of ``streams`` sees every chunk."""
    sample, benchmark = pair
    a, b = np.empty(_EXACT_CHUNK), np.empty(_EXACT_CHUNK)
    parts: list[Sums] = []
    for at in range(start, stop, _EXACT_CHUNK):
        size = min(_EXACT_CHUNK, stop - at)
        sample.copy_into(a[:size], at)
        benchmark.copy_into(b[:size], at)
        parts.append(_sum_runs(a[:size], b[:size], np.zeros(1, np.intp)))
        for stream in streams:
            stream.update(a[:size], b[:size])
        if len(parts) == 256:
            parts = [merge_sums(parts)]
    return merge_sums(parts) if parts else make_sums(n=0.0)


def measure_batch(pairs: Sequence[Pair]) -> Sums:
    """Return the exact sums of many pairs at once, none of them empty; shape (len(pairs),)."""
    sizes = np.array([sample.info.size for sample, _ in pairs])
    ends = np.cumsum(sizes)
    sides = []
    for side in (0, 1):
        tensors = [pair[side] for pair in pairs]
        # Elements are read in their own dtype and widened together: one numpy call rather than one a tensor.
        dtype = tensors[0].info.dtype
        same = all(tensor.info.dtype == dtype for tensor in tensors)
        stored = np.empty(int(ends[-1]), dtype if same else np.float64)
        for tensor, stop, size in zip(tensors, ends.tolist(), sizes.tolist(), strict=True):
            tensor.copy_into(stored[stop - size : stop], 0)
        sides.append(stored.astype(np.float64, copy=False))
    return _sum_runs(sides[0], sides[1], ends - sizes)


def _sum_runs(a: np.ndarray, b: np.ndarray, starts: np.ndarray) -> Sums:
    """Return the sums of the runs of two flat float64 arrays that begin at ``starts``."""
    scratch = np.empty_like(a)  # one for all products: a fresh array each would cost more than the arithmetic

    def add(values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values, starts)

    with np.errstate(all="ignore"):
        products = {"aa": (a, a), "bb": (b, b), "ab": (a, b)}
        sums = {name: add(np.multiply(*pair, out=scratch)) for name, pair in products.items()}
        sums |= {"a": add(a), "b": add(b), "abs_b": add(np.abs(b, out=scratch))}
        d = a - b
        sums["dd"] = add(np.multiply(d, d, out=scratch))
        np.abs(d, out=d)
        if not np.isfinite(sums["a"].sum() + sums["b"].sum()):
            for name, values in (("a", a), ("b", b)):
                sums |= {f"nans_{name}": add(np.isnan(values)), f"infs_{name}": add(np.isinf(values))}
        return make_sums(n=np.diff(starts, append=a.size), abs_d=add(d), max_d=np.maximum.reduceat(d, starts), **sums)


def split_batches(pairs: Iterable[Pair], elements: int = 1 << 16) -> list[list[Pair]]:
    """Group pairs in their order: consecutive small ones up to ``elements`` together, each large one alone."""
    batches: list[list[Pair]] = []
    room = 0
    for pair in pairs:
        size = pair[0].info.size
        if size > SMALL:
            batches.append([pair])
            room = 0
        elif size > room:
            batches.append([pair])
            room = elements - size
        else:
            batches[-1].append(pair)
            room -= size
    return batches
