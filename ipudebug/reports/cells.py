"""How single things are written in a report."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from ipudebug.comparison import Comparison, LayerResult
from ipudebug.metrics import METRICS, VENDOR
from ipudebug.tensor import dims

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_INVALID = re.compile("[\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]")


def metric_names(comparison: Comparison) -> list[str]:
    """Return the metrics to show: the vendor's three, then the others in the order asked for."""
    return list(dict.fromkeys((*VENDOR, *comparison.metrics)))


def labels(names: Sequence[str]) -> list[str]:
    """Return the column headings of metrics."""
    return [METRICS[name].label for name in names]


def show_name(name: str) -> str:
    """Return a tensor name with control characters as escapes, so that it can neither break a line nor a terminal."""
    return _CONTROL.sub(lambda match: ascii(match[0])[1:-1], name)


def show_valid(text: str) -> str:
    """Return text that any XML or HTML may hold: what is no character, or turns the writing around, as an escape.

    Bytes of a name that are no UTF-8 are escaped as the bytes that they were.
    """

    def escape(match: re.Match[str]) -> str:
        code = ord(match[0])
        return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"

    return _INVALID.sub(escape, show_name(text))


def show_value(value: float) -> str:
    """Return a value with six decimals; ``nan``, ``inf`` and ``-inf`` as C prints them."""
    return f"{value:.6f}"


def exact_value(value: float) -> str:
    """Return a value with nine significant digits, for machines."""
    return f"{value:.9g}"


def json_value(value: float) -> float | str:
    """Return a value as strict JSON has it: NaN and the infinities become strings."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def show_shape(row: LayerResult) -> str:
    """Return the shape of a row: the sample's, or the benchmark's where the sample's dump has none."""
    sample, benchmark = row.sample.info.shape, row.benchmark.info.shape
    return dims(benchmark if len(sample) == 1 and len(benchmark) > 1 and row.compared else sample)


def show_remark(row: LayerResult) -> str:
    """Return what there is to say of a row: its status if that is worth a word, counts of NaN and Inf, its note."""
    parts = [row.status] if row.status in ("suspicious", "equal", "uncompared") else []
    for what, (sample, benchmark) in (("NaN", row.nans), ("Inf", row.infs)):
        if sample or benchmark:
            parts.append(f"{what}: {sample} in the sample, {benchmark} in the benchmark")
    return "; ".join(parts + ([row.note] if row.note else []))
