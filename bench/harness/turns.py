"""Alternating turns A B A B, and what their pairs say."""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Spread:
    """The middle and the ends of several numbers."""

    median: float
    low: float
    high: float
    count: int


def measure_spread(numbers: Iterable[float]) -> Spread:
    """Return the Spread of one or more numbers."""
    known = sorted(numbers)
    return Spread(statistics.median(known), known[0], known[-1], len(known))


def take_turns(programs: Mapping[str, Callable[[], T]], rounds: int | Mapping[str, int]) -> dict[str, list[T]]:
    """Return the runs of every program, by name, taken in turns: A B C, A B C, ...

    Args:
        programs: what to run, by name.
        rounds: how often; one number, or one for each name, for programs so slow that a single run must do. A program
            of more than one round is run once before, unrecorded.
    """
    counts = {name: rounds if isinstance(rounds, int) else rounds[name] for name in programs}
    for name, program in programs.items():
        if counts[name] > 1:
            program()
    runs: dict[str, list[T]] = {name: [] for name in programs}
    for turn in range(max(counts.values())):
        for name, program in programs.items():
            if turn < counts[name]:
                runs[name].append(program())
    return runs


def read_seconds(run: T) -> float:
    """Return the wall clock of a run."""
    seconds: float = run.seconds  # type: ignore[attr-defined]
    return seconds


def values(runs: Sequence[T], key: Callable[[T], float] = read_seconds) -> Spread:
    """Return the Spread of one number of every run."""
    return measure_spread(key(run) for run in runs)


def ratios(ours: Sequence[T], theirs: Sequence[T], key: Callable[[T], float] = read_seconds) -> Spread:
    """Return the Spread of ours / theirs over neighbouring turns; the side with fewer turns is used again."""
    return measure_spread(key(a) / key(b) for a, b in pair_up(ours, theirs))


def differences(ours: Sequence[T], theirs: Sequence[T], key: Callable[[T], float] = read_seconds) -> Spread:
    """Return the Spread of ours - theirs over neighbouring turns; the side with fewer turns is used again."""
    return measure_spread(key(a) - key(b) for a, b in pair_up(ours, theirs))


def pair_up(ours: Sequence[T], theirs: Sequence[T]) -> list[tuple[T, T]]:
    """Return the turns side by side, as many as the longer list has."""
    if len(ours) >= len(theirs):
        return list(zip(ours, cycle(theirs)))
    return list(zip(cycle(ours), theirs))
