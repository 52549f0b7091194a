"""Numbers as text of six decimals, ``%f`` to the last digit, many at a time.

A float32 has 24 bits and 1,000,000 = 15,625 x 64 has 14 that count, so their product is exact in a float64: rounding it
to the nearest integer, of two to the even one, gives the digits that ``%f`` prints. They are looked up three at a time
and laid side by side, with zero bytes where a shorter number has none, which are taken out at the end. That is four
times as fast as ``%``, which prints the rest: NaN, infinities, large numbers, and any float64.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

IN_ROW = 16
_IN_BLOCK = 256 * IN_ROW
_MILLION = 1_000_000
_EXACT = float(1 << 53)
_WORD = np.dtype("<u4")  # four characters


def format_rows(values: np.ndarray, separator: str) -> Iterator[bytes]:
    """Yield real numbers as text: each followed by two characters, ``separator``, and a line break after every 16."""
    flat = values.reshape(-1)
    for start in range(0, flat.size, _IN_BLOCK):
        block = flat[start : start + _IN_BLOCK]
        yield _format_exactly(block, separator) or _format_any(block, separator)


def _format_any(block: np.ndarray, separator: str) -> bytes:
    """Return what Python makes of each number."""
    rows, rest = divmod(block.size, IN_ROW)
    value = f"%f{separator}"
    return (((value * IN_ROW + "\n") * rows + value * rest) % tuple(block.tolist())).encode()


def _format_exactly(block: np.ndarray, separator: str) -> bytes:
    """Return the same, or nothing where a float64 does not hold a number's millionths."""
    if block.dtype.kind == "f" and block.dtype.itemsize > 4:
        return b""
    with np.errstate(invalid="ignore"):  # a signalling NaN
        wide = block.astype(np.float64)
        millionths = np.rint(np.abs(wide) * _MILLION)
    largest = millionths.max()
    if not largest < _EXACT:
        return b""
    small = np.uint32 if largest < 1 << 32 else np.uint64
    thousandths, last = _divide(millionths.astype(small), 1000)
    whole, first = _divide(thousandths, 1000)
    leading, following, decimals = _tables()
    groups = [whole]
    while groups[0].max() >= 1000:
        groups[:1] = _divide(groups[0], 1000)
    words = np.empty((block.size, len(groups) + 3), _WORD)
    higher = np.zeros(block.size, np.bool_)
    for place, group in enumerate(groups):
        digits = np.where(higher, following.take(group), leading.take(group)) if place else leading.take(group)
        if place < len(groups) - 1:
            higher |= group > 0
            digits[~higher] = 0
        words[:, place] = digits
    words[:, 0] |= np.signbit(wide) * _WORD.type(ord("-"))
    words[:, -3] = decimals.take(first)
    words[:, -2] = following.take(last)
    words[:, -1] = _ends(separator)[: block.size]
    return words.tobytes().translate(None, b"\0")


def _divide(numbers: np.ndarray, by: int) -> tuple[np.ndarray, np.ndarray]:
    """Return quotient and remainder of unsigned integers."""
    quotient = numbers // numbers.dtype.type(by)
    return quotient, numbers - quotient * numbers.dtype.type(by)


@lru_cache(maxsize=1)
def _tables() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return, for 0 to 999, the four characters of a number's first digits, of later ones, and behind a point."""
    texts = (
        [f"{number}".rjust(4, "\0") for number in range(1000)],
        [f"\0{number:03}" for number in range(1000)],
        [f".{number:03}" for number in range(1000)],
    )
    first, later, decimals = (np.frombuffer("".join(table).encode(), _WORD) for table in texts)
    return first, later, decimals


@lru_cache(maxsize=4)
def _ends(separator: str) -> np.ndarray:
    """Return, for each number of a block, the four characters behind it."""
    row = [f"{separator}\0\0"] * (IN_ROW - 1) + [f"{separator}\n\0"]
    return np.frombuffer("".join(row * (_IN_BLOCK // IN_ROW)).encode(), _WORD)
