"""Batches, processes, interruptions: the same numbers however the work is shared."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from ipudebug.errors import CorruptDump, IpuDebugError
from ipudebug.measure import measure_all, measure_pairs
from ipudebug.metrics import METRICS, VENDOR
from ipudebug.tensor import Tensor, TensorInfo
from tests.dump_files import record, write_dump_file
from tests.metrics.pairs import pair, tensor

linux = pytest.mark.skipif(sys.platform != "linux", reason="several processes are for Linux")
METRICS_OF_THE_VENDOR = {name: METRICS[name] for name in VENDOR}


def make_pairs(count=40, seed=0):
    rng = np.random.default_rng(seed)
    sizes = rng.choice([1, 3, 500, 20_000, 70_000, 150_000], count)
    return [pair(rng.normal(size=size), rng.normal(size=size)) for size in sizes]


def children() -> set[int]:
    return {child.pid for child in multiprocessing.active_children()}


class Broken(Tensor):
    """A tensor whose data cannot be read."""

    def __init__(self, error: Exception | None) -> None:
        super().__init__(TensorInfo("broken", (4,), np.dtype("f4")), np.zeros(4, "f4"))
        self.error = error

    def copy_into(self, out: np.ndarray, start: int) -> None:
        if self.error is None:
            os.kill(os.getpid(), signal.SIGKILL)
        raise self.error


@linux
@pytest.mark.parametrize("names", [VENDOR, tuple(METRICS)])
def test_two_processes_give_the_same_bits_in_the_same_order(names):
    pairs, metrics = make_pairs(), {name: METRICS[name] for name in names}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        alone, shared = (list(measure_all(pairs, metrics, jobs)) for jobs in (1, 2))
    for left, right in zip(alone, shared, strict=True):
        assert np.array([*left.values.values()]).tobytes() == np.array([*right.values.values()]).tobytes()
        assert list(left.values) == list(right.values) == list(names)
        assert (left.equal, left.nans, left.infs) == (right.equal, right.nans, right.infs)


def test_the_numbers_are_those_of_each_pair_alone():
    pairs = make_pairs(15)
    together = list(measure_all(pairs, METRICS_OF_THE_VENDOR, 1))
    for one, measured in zip(pairs, together, strict=True):
        (alone,) = measure_pairs([one], METRICS_OF_THE_VENDOR)
        assert measured.values == pytest.approx(alone.values, rel=1e-12)


def test_no_pairs_give_no_numbers():
    assert list(measure_all([], METRICS_OF_THE_VENDOR, 2)) == []


def test_without_metrics_the_counts_are_there_all_the_same():
    (measured,) = measure_pairs([pair([1, np.nan], [1, 2])], {})
    assert (measured.values, measured.nans) == ({}, (1, 0))


@pytest.mark.parametrize("metrics", [VENDOR, ("cos", "p99_abs", "gain")])
def test_equal_nan_and_inf_are_found_in_tensors_of_any_size(metrics):
    chosen = {name: METRICS[name] for name in metrics}
    for size in (10, 200_000):
        values = np.arange(size) % 17
        special = values.astype("f4")
        special[3], special[5] = np.nan, np.inf
        equal, odd = measure_pairs([pair(values, values)], chosen) + measure_pairs([pair(special, values)], chosen)
        assert (equal.equal, equal.nans, equal.infs) == (True, (0, 0), (0, 0))
        assert (odd.equal, odd.nans, odd.infs) == (False, (1, 0), (1, 0))
        assert list(odd.values) == list(metrics)


def test_integers_are_compared_without_wrapping():
    (measured,) = measure_pairs([(tensor([255, 0], "u1"), tensor([0, 255], "u1"))], METRICS_OF_THE_VENDOR)
    assert measured.values["mse"] == 255**2


@linux
@pytest.mark.parametrize(
    "error", [CorruptDump("a.bin: x: broken", "dump it again"), ValueError("odd"), OSError(5, "io")]
)
def test_what_a_child_raises_is_raised_as_itself(error):
    pairs = [*make_pairs(), (Broken(error), tensor(np.zeros(4)))]
    for jobs in (1, 2):
        with pytest.raises(type(error), match=str(error)[:5].replace("[", r"\[")) as caught:
            list(measure_all(pairs, METRICS_OF_THE_VENDOR, jobs))
        assert getattr(caught.value, "hint", None) == getattr(error, "hint", None)
    assert children() == set()


@linux
def test_a_child_that_is_killed_is_an_error_to_mend():
    pairs = [*make_pairs(), (Broken(None), tensor(np.zeros(4)))]
    with pytest.raises(IpuDebugError, match="was killed") as caught:
        list(measure_all(pairs, METRICS_OF_THE_VENDOR, 2))
    assert caught.value.hint == "try again with one process"
    assert children() == set()


@linux
def test_closing_early_leaves_no_process_behind():
    results = measure_all(make_pairs(), METRICS_OF_THE_VENDOR, 2)
    next(results)
    assert len(children()) == 2
    results.close()
    assert children() == set()


@linux
def test_two_comparisons_at_a_time_do_not_mix():
    left, right = make_pairs(20, seed=1), make_pairs(20, seed=2)
    expected = [list(measure_all(pairs, METRICS_OF_THE_VENDOR, 1)) for pairs in (left, right)]
    both = zip(*(measure_all(pairs, METRICS_OF_THE_VENDOR, 2) for pairs in (left, right)), strict=True)
    assert [list(side) for side in zip(*both, strict=True)] == expected


def process_group(group: int) -> list[int]:
    """Return the processes of a group that are alive, zombies left out."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == group and fields[0] != "Z":
                found.append(int(folder.name))
    return found


SLOW = """
import sys, time
import ipudebug.measure
from ipudebug.cli import main
def slow(pairs, metrics, measure=ipudebug.measure.measure_pairs):
    time.sleep(0.02)
    return measure(pairs, metrics)
ipudebug.measure.measure_pairs = slow
main()
"""


@linux
@pytest.mark.parametrize(
    ("number", "code", "told"),
    [(signal.SIGINT, 130, "\ninterrupted\n"), (signal.SIGTERM, 143, "")],
    ids=["Ctrl-C", "TERM"],
)
def test_a_stopped_compare_leaves_no_traceback_no_process_and_no_file(tmp_path, number, code, told):
    """The whole process group gets the signal, as from a terminal; a table holds its rows back until the end."""
    values = np.zeros(70_000)
    for side in ("a.bin", "b.bin"):
        write_dump_file(tmp_path / side, *(record(f"layer{index}", values) for index in range(20)))
    arguments = ["compare", "a.bin", "b.bin", "--jobs", "2", "--details", "out", "-o", "report.txt"]
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, *arguments], cwd=tmp_path, start_new_session=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 30
    while len(process_group(process.pid)) < 3 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert process.poll() is None, process.communicate()
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    stdout, stderr = process.communicate(timeout=30)
    assert (process.returncode, stdout, stderr) == (code, "", told)
    assert process_group(process.pid) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.bin", "b.bin"]
