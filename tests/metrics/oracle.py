"""Every metric once more, from its definition: exact rationals, no numpy arithmetic, nothing of ipudebug."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

Values = Sequence[float]


def exact_sum(terms) -> Fraction:
    return sum(terms, Fraction(0))


def fractions(values: Values) -> list[Fraction]:
    return [Fraction(value) for value in values]


def root(value: Fraction) -> float:
    """Return the square root of a rational of any size, to float precision."""
    shift = 2 * (200 + max(0, value.denominator.bit_length() // 2))
    return float(Fraction(math.isqrt((value.numerator << shift) // value.denominator), 1 << (shift // 2)))


def mse(a: Values, b: Values) -> float:
    return float(exact_sum((x - y) ** 2 for x, y in zip(fractions(a), fractions(b), strict=True)) / len(a))


def cos(a: Values, b: Values) -> float:
    x, y = fractions(a), fractions(b)
    norm_x, norm_y = root(exact_sum(v * v for v in x)), root(exact_sum(v * v for v in y))
    if norm_x < 1e-8 or norm_y < 1e-8:
        return 0.0
    return float(exact_sum(v * w for v, w in zip(x, y, strict=True))) / (norm_x * norm_y)


def l1(a: Values, b: Values) -> tuple[Fraction, Fraction]:
    x, y = fractions(a), fractions(b)
    return exact_sum(abs(v - w) for v, w in zip(x, y, strict=True)), exact_sum(abs(w) for w in y)


def rmse(a: Values, b: Values) -> float:
    error, size = l1(a, b)
    if size == 0:
        return math.nan if error == 0 else math.inf
    return float(error / size)


def mean_abs(a: Values, b: Values) -> float:
    return float(l1(a, b)[0] / len(a))


def l2(a: Values, b: Values) -> tuple[Fraction, Fraction]:
    x, y = fractions(a), fractions(b)
    return exact_sum((v - w) ** 2 for v, w in zip(x, y, strict=True)), exact_sum(w * w for w in y)


def rel_l2(a: Values, b: Values) -> float:
    noise, signal = l2(a, b)
    if signal == 0:
        return 0.0 if noise == 0 else math.inf
    return root(noise / signal)


def sqnr(a: Values, b: Values) -> float:
    noise, signal = l2(a, b)
    if noise == 0:
        return math.inf
    if signal == 0:
        return -math.inf
    power = signal / noise
    return 10 * (math.log10(power.numerator) - math.log10(power.denominator))


def max_abs(a: Values, b: Values) -> float:
    return float(max(abs(v - w) for v, w in zip(fractions(a), fractions(b), strict=True)))


def max_rel(a: Values, b: Values) -> float:
    largest = 0.0
    for x, y in zip(fractions(a), fractions(b), strict=True):
        if x != y:
            largest = max(largest, float(abs(x - y) / abs(y)) if y else math.inf)
    return largest


def p99_abs(a: Values, b: Values) -> float:
    errors = sorted(abs(x - y) for x, y in zip(fractions(a), fractions(b), strict=True))
    position = Fraction(99, 100) * (len(errors) - 1)
    low = math.floor(position)
    high = min(low + 1, len(errors) - 1)
    return float(errors[low] + (position - low) * (errors[high] - errors[low]))


def fit(a: Values, b: Values) -> tuple[float, float]:
    x, y = fractions(a), fractions(b)
    mean_x, mean_y = exact_sum(x) / len(x), exact_sum(y) / len(y)
    spread = exact_sum((w - mean_y) ** 2 for w in y)
    if spread == 0:
        return (1.0, 0.0) if x == y else (math.nan, math.nan)
    slope = exact_sum((v - mean_x) * (w - mean_y) for v, w in zip(x, y, strict=True)) / spread
    return float(slope), float(mean_x - slope * mean_y)


def gain(a: Values, b: Values) -> float:
    return fit(a, b)[0]


def offset(a: Values, b: Values) -> float:
    return fit(a, b)[1]


FORMULAS: dict[str, Callable[[Values, Values], float]] = {
    "mse": mse, "cos": cos, "rmse": rmse, "mean_abs": mean_abs, "rel_l2": rel_l2, "sqnr": sqnr, "max_abs": max_abs,
    "max_rel": max_rel, "p99_abs": p99_abs, "gain": gain, "offset": offset,
}  # fmt: skip
