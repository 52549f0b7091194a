"""Do two tools say the same? Every number that the bench times is checked here first."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from bench.harness import BenchError

OURS = re.compile(r"^ *\d+\) (?P<name>.*?) +MSE: (\S+) +COS: (\S+) +RMSE: (\S+)$", re.MULTILINE)
VENDOR = re.compile(r"^\d+\.(?P<name>.*)\tMSE:\t(\S+)\tCOS:\t(\S+)\tRMSE:\t(\S+)$", re.MULTILINE)
METRICS = ("mse", "cos", "rmse")

Printed = dict[str, tuple[str, str, str]]


def read_rows(text: str, pattern: re.Pattern[str]) -> Printed:
    """Return MSE, COS and RMSE as printed, by tensor name; raises BenchError when there is none."""
    rows = {match["name"]: (match[2], match[3], match[4]) for match in pattern.finditer(text)}
    if not rows:
        raise BenchError(f"no row was printed, only: {text[:200]!r}")
    return rows


def require_same_rows(ours: str, theirs: str) -> None:
    """Raise BenchError unless our output and the re-enactment's agree in every printed digit of every tensor."""
    a, b = read_rows(ours, OURS), read_rows(theirs, VENDOR)
    require_same_names(set(a), set(b))
    wrong = [name for name in b if a[name] != b[name]]
    if wrong:
        first = wrong[0]
        raise BenchError(f"{len(wrong)} of {len(b)} rows differ; {first}: ours {a[first]}, the vendor's way {b[first]}")


def require_true_rows(ours: str, truth: Mapping[str, Mapping[str, float]]) -> None:
    """Raise BenchError unless every printed number of ours is the true one to half a unit of its sixth decimal."""
    rows = read_rows(ours, OURS)
    require_same_names(set(rows), set(truth))
    printed = {name: dict(zip(METRICS, map(float, row), strict=True)) for name, row in rows.items()}
    require_close(printed, truth, METRICS, absolute=5.01e-7, relative=0)


def require_close(
    found: Mapping[str, Mapping[str, float]],
    truth: Mapping[str, Mapping[str, float]],
    metrics: tuple[str, ...],
    absolute: float,
    relative: float,
) -> None:
    """Raise BenchError unless |found - true| <= absolute + relative * |true| for every tensor and metric."""
    require_same_names(set(found), set(truth))
    for name, numbers in truth.items():
        for metric in metrics:
            value, true = found[name][metric], numbers[metric]
            if not abs(value - true) <= absolute + relative * abs(true):
                raise BenchError(f"{metric} of {name} is {value!r}, expected {true!r}")


def require_same_names(found: set[str], expected: set[str]) -> None:
    """Raise BenchError unless both name the same tensors."""
    if found != expected:
        missing, extra = sorted(expected - found)[:3], sorted(found - expected)[:3]
        raise BenchError(f"{len(found)} tensors, expected {len(expected)}; missing {missing}, too many {extra}")


def read_numbers(path: Path) -> dict[str, dict[str, float]]:
    """Return a JSON file of numbers by tensor name and metric."""
    numbers: dict[str, dict[str, float]] = json.loads(path.read_text("utf-8"))
    return numbers
