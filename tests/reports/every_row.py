"""One small comparison with rows of every kind."""

from __future__ import annotations

from pathlib import Path

from ipudebug.comparison import Comparison, compare
from tests.dump_files import record, write_dump_file

NAN, INF = float("nan"), float("inf")
ROWS = [
    ("ok", [1, 2, 3, 4.03125], [1, 2, 3, 4]),
    ("suspicious", [4, 3, 2, 1], [1, 2, 3, 4]),
    ("equal", [1, 2, 3, 4], [1, 2, 3, 4]),
    ("both zero", [0, 0], [0, 0]),
    ("nan", [1, NAN, 3, 4], [1, 2, 3, NAN]),
    ("inf", [1, 2, INF, 4], [1, 2, 3, 4]),
    ("sizes", [1, 2, 3], [1, 2, 3, 4]),
    ("a|b*c_d`", [1, 2], [1, 2]),
    ("<script>alert(1)</script>", [1, 2], [1, 2]),
    ("esc\x1b[31m\x07, \"quoted\"", [1, 2], [1, 2]),
    ("tab\tname\r", [1, 2], [1, 2]),
    (b"raw\xff\xc3", [1, 2], [1, 2]),
    ("größe\u2028", [1, 2], [1, 2]),
]  # fmt: skip


def make_comparison(folder: Path, rows=ROWS, **options) -> Comparison:
    """Write the two dumps and return their comparison, each side with a tensor that the other lacks."""
    sample = [record(name, a, (1, len(a)), op="CONV_2D", index=index) for index, (name, a, _) in enumerate(rows)]
    benchmark = [record(name, b, (1, len(b)), op="Conv", index=index) for index, (name, _, b) in enumerate(rows)]
    return compare(
        sample=write_dump_file(folder / "sample.bin", *sample, record("fc11#55", [1])),
        benchmark=write_dump_file(folder / "benchmark.bin", *benchmark, record("fused\x1b", [1])),
        **options,
    )
