"""Let Polygraphy compare two of its own files, with its defaults, and keep its numbers.

python polygraphy_compare.py SAMPLE.json BENCHMARK.json OUT.json
"""

import json
import sys

from polygraphy.comparator import Comparator, RunResults


def main() -> None:
    """Write mean and largest absolute difference of every tensor."""
    results = RunResults.load(sys.argv[1])
    results.extend(RunResults.load(sys.argv[2]))
    (compared,) = Comparator.compare_accuracy(results)[0].values()
    found = {name: {"mean_abs": one.mean_absdiff, "max_abs": one.max_absdiff} for name, one in compared[0].items()}
    with open(sys.argv[3], "w", encoding="utf-8") as file:
        json.dump(found, file, default=float)


if __name__ == "__main__":
    main()
