"""Measure a pair of dumps tensor by tensor in plain float64 numpy; the bench checks every other tool against it.

python -m bench.data.truth SAMPLE BENCHMARK OUT.json
"""

import json
import math
import sys
from pathlib import Path

import numpy as np

from bench.data.blocks import read_blocks

CHUNK = 1 << 16  # values


def measure_pair(sample: np.ndarray, benchmark: np.ndarray) -> dict[str, float]:
    """Return mse, cos, rmse (sum|a-b| / sum|b|), mean_abs and max_abs of two flat arrays of equal length."""
    parts = []
    for start in range(0, len(sample), CHUNK):
        a, b = (side[start : start + CHUNK].astype(np.float64) for side in (sample, benchmark))
        d = a - b
        parts.append((a @ a, b @ b, a @ b, d @ d, np.abs(d).sum(), np.abs(b).sum(), np.abs(d).max()))
    aa, bb, ab, dd, abs_d, abs_b = (math.fsum(column) for column in list(zip(*parts, strict=True))[:6])
    count = len(sample)
    return {
        "mse": dd / count,
        "cos": ab / math.sqrt(aa * bb),
        "rmse": abs_d / abs_b,
        "mean_abs": abs_d / count,
        "max_abs": float(max(part[6] for part in parts)),
    }


def main() -> None:
    """Write the numbers of every tensor of two dumps of the same tensors in the same order."""
    sample, benchmark, out = (Path(argument) for argument in sys.argv[1:4])
    found = {}
    for (name, _, a), (same, _, b) in zip(read_blocks(sample), read_blocks(benchmark), strict=True):
        if name != same:
            raise ValueError(f"{name} beside {same}")
        found[name] = measure_pair(a, b)
    out.write_text(json.dumps(found), "utf-8")


if __name__ == "__main__":
    main()
