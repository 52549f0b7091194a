"""Take the sums of a pair of dumps, and in turns with it read and sum the same bytes: the limit of any such pass.

    python read_limit.py SAMPLE BENCHMARK ROUNDS

Prints one JSON object: seconds of every turn for ``limit`` (both files mapped, added up as int64 by one thread), for
``one`` and ``two`` (ipudebug.compare with that many workers), and ``rows``, the numbers by tensor name. Imports are not
counted.
"""

import json
import mmap
import sys
import time

import numpy as np

from ipudebug.comparison import compare


def sum_file(path: str) -> int:
    """Return the sum of a file's bytes taken as int64, read through a fresh mapping of the page cache."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        words = np.frombuffer(mapped, np.int64, len(mapped) // 8)
        total = int(words.sum())
        del words  # or the mapping could not be closed
    return total


def take_sums(sample: str, benchmark: str, jobs: int) -> dict[str, dict[str, float]]:
    """Return the numbers of every pair by the tensor's name."""
    return {result.name: dict(result.values) for result in compare(sample=sample, benchmark=benchmark, jobs=jobs)}


def main() -> None:
    """Take the turns."""
    sample, benchmark, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
    seconds: dict[str, list[float]] = {"limit": [], "one": [], "two": []}
    rows: dict[str, dict[str, float]] = {}
    for _ in range(rounds + 1):
        start = time.perf_counter()
        sum_file(sample)
        sum_file(benchmark)
        seconds["limit"].append(time.perf_counter() - start)
        for name, jobs in (("one", 1), ("two", 2)):
            start = time.perf_counter()
            rows = take_sums(sample, benchmark, jobs)
            seconds[name].append(time.perf_counter() - start)
    warm = {name: turns[1:] for name, turns in seconds.items()}
    json.dump({**warm, "rows": rows}, sys.stdout)


if __name__ == "__main__":
    main()
