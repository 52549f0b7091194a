"""Make a pair of dumps, ``sample.bin`` and ``benchmark.bin``, as a quantised model and its float original would.

    python -m bench.data.pairs FOLDER large --tensors 35 --shape 1,500,500,30
    python -m bench.data.pairs FOLDER small --tensors 20000

The sample is the benchmark plus noise of 0.5 to 5 per cent of its spread; every third tensor is cut at zero as by a
relu. The mean squared errors stay far below 0.1.
"""

import argparse
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.data.blocks import FIRST_LINE, TERMINATOR, format_header

CHUNK = 1 << 20  # values
SMALLEST, LARGEST = 16, 4096  # values of a small tensor; the mix has a mean of about 1000


def choose_shapes(kind: str, count: int, shape: tuple[int, ...], rng: np.random.Generator) -> list[tuple[int, ...]]:
    """Return the shape of every tensor: all the same, or small ones of many sizes."""
    if kind == "large":
        return [shape] * count
    sizes = SMALLEST * (LARGEST / SMALLEST) ** (rng.random(count) ** 0.67)
    return [(1, 1, 1, int(size)) if index % 2 else (1, int(size)) for index, size in enumerate(sizes)]


def make_chunks(count: int, rng: np.random.Generator, index: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield ``count`` values of sample and benchmark, float32, piece by piece."""
    spread = np.float32(rng.uniform(0.3, 3))
    noise = np.float32(rng.uniform(0.005, 0.05))
    for start in range(0, count, CHUNK):
        length = min(CHUNK, count - start)
        benchmark = rng.standard_normal(length, np.float32) * spread
        sample = benchmark + rng.standard_normal(length, np.float32) * (noise * spread)
        if index % 3 == 1:
            benchmark, sample = np.maximum(benchmark, 0), np.maximum(sample, 0)
        yield sample, benchmark


def write_pair(folder: Path, shapes: list[tuple[int, ...]], rng: np.random.Generator) -> None:
    """Write sample.bin and benchmark.bin."""
    with (folder / "sample.bin").open("wb") as sample_file, (folder / "benchmark.bin").open("wb") as benchmark_file:
        files = (sample_file, benchmark_file)
        for file in files:
            file.write(FIRST_LINE)
        for index, shape in enumerate(shapes):
            count = math.prod(shape)
            for file in files:
                file.write(format_header(f"block{index // 8}/layer{index}_out", shape, index, size=4 * count))
            for chunks in make_chunks(count, rng, index):
                for file, chunk in zip(files, chunks, strict=True):
                    file.write(memoryview(chunk))
            for file in files:
                file.write(TERMINATOR)


def main() -> None:
    """Make what the command line asks for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("kind", choices=["large", "small"])
    parser.add_argument("--tensors", type=int, required=True)
    parser.add_argument("--shape", default="1,8,8,4")
    options = parser.parse_args()
    rng = np.random.default_rng(20_240_229)
    shape = tuple(int(dim) for dim in options.shape.split(","))
    options.folder.mkdir(parents=True, exist_ok=True)
    write_pair(options.folder, choose_shapes(options.kind, options.tensors, shape, rng), rng)


if __name__ == "__main__":
    main()
