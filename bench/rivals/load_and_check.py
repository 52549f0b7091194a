"""Load a model and run ONNX's checker, in turns with what ``ipudebug check`` does; print the seconds of each as JSON.

Usage: ``python -m bench.rivals.load_and_check MODEL ROUNDS``.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import onnx

from ipudebug.sim.constraints import check_model, load_subject


def measure(program: Callable[[], Any]) -> float:
    """Return how many seconds a program takes."""
    start = time.perf_counter()
    program()
    return time.perf_counter() - start


def main(path: str, rounds: int) -> None:
    """Print seconds, number of nodes, findings and planted faults."""

    def theirs() -> None:
        onnx.checker.check_model(onnx.load(path))

    found = check_model(load_subject(path))
    theirs()
    turns = [(measure(lambda: check_model(load_subject(path))), measure(theirs)) for _ in range(rounds)]
    model = onnx.load(path)
    report = {
        "ours": [turn[0] for turn in turns],
        "theirs": [turn[1] for turn in turns],
        "nodes": len(model.graph.node),
        "findings": len([finding for finding in found if finding.level == "error"]),
        "planted": int(next(item.value for item in model.metadata_props if item.key == "planted")),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
