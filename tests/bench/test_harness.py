"""The bench's own machinery: processes, turns, verdicts. Nothing here depends on how fast anything is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.harness import (
    BenchError,
    Context,
    Row,
    Unavailable,
    differences,
    judge,
    leave_out,
    ratios,
    take_turns,
    values,
)
from bench.harness.launcher import list_tree, read_memory
from bench.harness.process import Run, run_process
from bench.harness.turns import Spread, measure_spread
from bench.rivals.environment import prepare_polygraphy

MEGABYTE = 1 << 20
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def python(code: str, tmp_path: Path, **options: object) -> Run:
    return run_process([sys.executable, "-c", code], cwd=tmp_path, **options)


def test_a_run_has_output_errors_code_and_time(tmp_path):
    run = python("import sys; print('out'); print('err', file=sys.stderr)", tmp_path)
    assert (run.stdout, run.stderr, run.code) == ("out\n", "err\n", 0)
    assert run.seconds > 0


def test_a_run_starts_in_its_folder_with_its_variables(tmp_path):
    run = python("import os; print(os.getcwd(), os.environ['FRUIT'])", tmp_path, env={"FRUIT": "fig"})
    assert run.stdout.split() == [str(tmp_path.resolve()), "fig"]


def test_output_goes_to_a_file_when_one_is_named(tmp_path):
    run = python("print('kept')", tmp_path, stdout=tmp_path / "out")
    assert run.stdout == ""
    assert (tmp_path / "out").read_text() == "kept\n"


def test_the_peak_is_the_childs_and_not_the_benchs(tmp_path):
    ballast = bytearray(300 * MEGABYTE)  # a child that was forked from here would count this as its own
    ballast[:: os.sysconf("SC_PAGESIZE")] = b"x" * len(ballast[:: os.sysconf("SC_PAGESIZE")])
    small = python("pass", tmp_path)
    large = python("x = b'x' * (100 << 20)", tmp_path)
    assert small.peak < 60 * MEGABYTE
    assert 90 * MEGABYTE < large.peak - small.peak < 130 * MEGABYTE


@linux
def test_the_whole_tree_is_found_and_counted():
    """A process with a child of 60 MB; both wait for their stdin to close."""
    child = "import sys; x = b'x' * (60 << 20); print('ready', flush=True); sys.stdin.read()"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    argv = [sys.executable, "-c", code]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout.readline() == "ready\n"
        tree = list_tree(parent.pid)
        memory = [read_memory(pid) for pid in tree]
        parent.stdin.close()
    assert tree[0] == parent.pid
    assert len(tree) == 2
    assert memory[1] - memory[0] > 55 * MEGABYTE
    assert list_tree(parent.pid) == [parent.pid]
    assert read_memory(parent.pid) == 0


def test_the_whole_tree_is_at_least_its_largest_process(tmp_path):
    run = python("x = b'x' * (100 << 20); print(len(x))", tmp_path, whole_tree=True)
    assert run.peak > 100 * MEGABYTE
    assert run.stdout == "104857600\n"


def test_a_failing_program_is_told_with_its_last_words(tmp_path):
    code = "import sys; print('no such tensor', file=sys.stderr); sys.exit(3)"
    with pytest.raises(BenchError, match=r"exit code 3 of .*no such tensor"):
        python(code, tmp_path)
    assert python(code, tmp_path, check=False).code == 3


def test_a_program_that_does_not_exist_is_told(tmp_path):
    with pytest.raises(BenchError, match="nowhere-to-be-found could not be started"):
        run_process(["nowhere-to-be-found"], cwd=tmp_path)


def test_turns_alternate_after_one_unrecorded_run():
    called = []

    def note(name):
        called.append(name)
        return len(called)

    runs = take_turns({"a": lambda: note("a"), "b": lambda: note("b")}, rounds=3)
    assert called == ["a", "b"] * 4
    assert runs == {"a": [3, 5, 7], "b": [4, 6, 8]}


def test_a_program_of_a_single_round_is_run_once():
    called = []
    programs = {"fast": lambda: called.append("fast"), "slow": lambda: called.append("slow")}
    take_turns(programs, rounds={"fast": 2, "slow": 1})
    assert called.count("slow") == 1
    assert called.count("fast") == 3


def test_ratios_are_of_neighbours():
    assert ratios([2, 6, 30], [1, 2, 3], key=float) == Spread(median=3, low=2, high=10, count=3)


def test_a_single_run_is_set_against_every_other():
    assert ratios([100], [1, 2, 4], key=float) == Spread(median=50, low=25, high=100, count=3)
    assert ratios([1, 2, 4], [2], key=float) == Spread(median=1, low=0.5, high=2, count=3)


def test_differences_take_a_key():
    ours = [Run(seconds=1, peak=300, code=0), Run(seconds=1, peak=500, code=0)]
    theirs = [Run(seconds=1, peak=100, code=0)]
    assert differences(ours, theirs, key=lambda run: run.peak) == Spread(300, 200, 400, 2)
    assert values(ours) == Spread(1, 1, 1, 2)


def test_the_median_decides():
    spread = measure_spread([1.2, 1.4, 9.0])
    assert judge("a", "cat", spread, at_most=1.4).holds
    assert not judge("a", "cat", spread, at_most=1.39).holds
    assert judge("a", "cat", spread, at_least=1.4).holds
    assert not judge("a", "cat", spread, at_least=1.41).holds


def test_a_row_reads_well():
    row = judge("help", "cat", measure_spread([1.234, 12.34, 123.4]), at_most=3.0, note="so")
    assert row == Row("help", "<= 3 x cat", "12.3 (1.23..123) x, 3 runs", False, "so")
    assert judge("memory", "", measure_spread([40]), at_most=64, unit="MB").measured == "40.0 MB, 1 run"
    share = judge("sums", "of the limit", measure_spread([0.5, 0.25, 0.75]), at_least=0.35, unit="")
    assert (share.aim, share.measured) == (">= 0.35 of the limit", "0.50 (0.25..0.75), 3 runs")


def test_a_limit_is_required():
    with pytest.raises(ValueError, match="exactly one"):
        judge("a", "cat", measure_spread([1]))


def test_a_context_picks_sizes_and_keeps_files(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    Context(folder, tmp_path, quick=True, keep=True).remove(folder)
    assert folder.exists()
    Context(folder, tmp_path).remove(folder)
    assert not folder.exists()
    assert Context(folder, tmp_path, quick=True).choose(full=1, quick=2) == 2
    assert Context(folder, tmp_path).choose(full=1, quick=2) == 1


def test_a_rival_that_cannot_be_had_is_a_row_without_verdict():
    assert leave_out("a", "cat", "offline", at_least=40) == Row("a", ">= 40 x cat", "-", None, "offline")


def test_an_environment_that_failed_is_not_tried_again(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        called.append(args)
        raise BenchError("no network")

    called = []
    monkeypatch.setattr(Context, "run", fail)
    for _ in range(2):
        with pytest.raises(Unavailable, match="no network"):
            prepare_polygraphy(Context(tmp_path, tmp_path))
    assert len(called) == 1
