"""The compiled sums and their twin in numpy: each against fsum, and each against the other."""

from __future__ import annotations

import math
import shutil
import sysconfig
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipudebug.metrics import runs
from ipudebug.metrics.runs import FIELDS, sum_runs, sum_runs_by_numpy

IS_COMPILED = sum_runs is not sum_runs_by_numpy
TWINS = [sum_runs_by_numpy, sum_runs] if IS_COMPILED else [sum_runs_by_numpy]
EACH = pytest.mark.parametrize("twin", TWINS, ids=["numpy", "compiled"][: len(TWINS)])
compiled = pytest.mark.skipif(not IS_COMPILED, reason="the sums were not compiled in this installation")
ANY = {4: st.floats(width=32), 8: st.floats()}
FINITE = {4: st.floats(-1e6, 1e6, width=32), 8: st.floats(-1e6, 1e6)}


def take(twin, pairs, itemsize=4, gap=3):
    """Return the table of the sums of pairs of lists, each laid at an odd address in its buffer."""
    sides, starts = [], []
    for side in zip(*pairs, strict=True):
        memory, begins = b"\xff" * gap, []
        for values in side:
            begins.append(len(memory))
            memory += np.array(values, f"f{itemsize}").tobytes() + b"\xff" * gap
        sides.append(np.frombuffer(memory, np.uint8))
        starts.append(begins)
    sizes = np.array([len(a) for a, _ in pairs])
    table = np.full((len(FIELDS), len(pairs)), 77.0)
    twin(*sides, itemsize, np.array(starts), sizes, table)
    return table


def lists_of(elements):
    """Draw pairs of lists of equal length."""
    one = st.lists(st.tuples(elements, elements), min_size=1, max_size=40)
    return st.lists(one.map(lambda rows: tuple(zip(*rows, strict=True))), min_size=1, max_size=4)


def sum_by_fsum(a, b):
    """Return the fields of Sums of finite lists, and the size of what each was summed from."""
    products = [x * y for x, y in zip(a, b, strict=True)]
    apart = [x - y for x, y in zip(a, b, strict=True)]
    terms = {
        "n": [1] * len(a), "aa": [x * x for x in a], "bb": [y * y for y in b], "dd": [d * d for d in apart],
        "ab": products, "a": a, "b": b, "abs_b": map(abs, b), "abs_d": map(abs, apart),
    }  # fmt: skip
    terms = {name: list(values) for name, values in terms.items()}
    right = {name: math.fsum(values) for name, values in terms.items()} | {"max_d": max(map(abs, apart))}
    return right, {name: math.fsum(map(abs, values)) for name, values in terms.items()}


@EACH
@pytest.mark.parametrize("itemsize", [4, 8])
@given(data=st.data())
@settings(deadline=None)
def test_sums_are_those_of_fsum(twin, itemsize, data):
    pairs = data.draw(lists_of(FINITE[itemsize]))
    table = take(twin, pairs, itemsize, data.draw(st.integers(0, 9)))
    for column, (a, b) in zip(table.T.tolist(), pairs, strict=True):
        right, magnitudes = sum_by_fsum(a, b)
        for name, got in zip(FIELDS, column, strict=True):
            assert got == pytest.approx(right.get(name, 0), rel=0, abs=1e-14 * magnitudes.get(name, 0)), name


@EACH
@pytest.mark.parametrize("itemsize", [4, 8])
@given(data=st.data())
@settings(deadline=None)
def test_nan_and_infinities_are_counted_for_their_own_run(twin, itemsize, data):
    pairs = data.draw(lists_of(ANY[itemsize]))
    table = dict(zip(FIELDS, take(twin, pairs, itemsize), strict=True))
    for number, (a, b) in enumerate(pairs):
        for name, side, find in (
            ("nans_a", a, math.isnan), ("nans_b", b, math.isnan), ("infs_a", a, math.isinf), ("infs_b", b, math.isinf),
        ):  # fmt: skip
            assert table[name][number] == sum(map(find, side))
        apart = [abs(x - y) for x, y in zip(a, b, strict=True)]
        largest = math.nan if any(map(math.isnan, apart)) else max(apart)
        assert table["max_d"][number] == pytest.approx(largest, rel=0, nan_ok=True)


@compiled
@pytest.mark.parametrize("itemsize", [4, 8])
@pytest.mark.parametrize("size", [1, 7, 8, 9, 127, 128, 1023, 1024, 1025, 40_003])
def test_the_twins_agree_to_the_last_digits(size, itemsize):
    rng = np.random.default_rng(size)
    pairs = [(rng.normal(size=size), rng.normal(size=size)), ([1.0], [3.0]), (np.arange(size), np.arange(size))]
    ours, theirs = (take(twin, pairs, itemsize) for twin in TWINS)
    assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-12 * size)
    assert ours[:, 1:].tobytes() == theirs[:, 1:].tobytes()  # whole numbers are summed without an error


@EACH
def test_rounding_errors_do_not_grow_with_the_run(twin):
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 300_000)).astype("f4")
    table = dict(zip(FIELDS, take(twin, [(a, b)])[:, 0], strict=True))
    right, magnitudes = sum_by_fsum(a.tolist(), b.tolist())
    for name, magnitude in magnitudes.items():
        assert abs(table[name] - right[name]) <= 1e-14 * magnitude, name


@EACH
@pytest.mark.parametrize(
    ("starts", "sizes"),
    [([[0], [0]], [5]), ([[1], [0]], [4]), ([[0], [1]], [4]), ([[-4], [0]], [1]), ([[0], [0]], [1 << 62])],
)
def test_a_run_outside_its_buffer_is_refused(twin, starts, sizes):
    memory, table = np.zeros(16, np.uint8), np.zeros((len(FIELDS), 1))
    with pytest.raises((ValueError, MemoryError)):
        twin(memory, memory, 4, np.array(starts), np.array(sizes), table)


@compiled
def test_arguments_that_do_not_go_together_are_refused():
    memory, one, sizes = np.zeros(16, np.uint8), np.zeros((2, 1), np.int64), np.ones(1, np.int64)
    table = np.zeros((len(FIELDS), 1))
    for itemsize, starts, count, out in ((2, one, sizes, table), (4, sizes, sizes, table), (4, one, sizes, table[:9])):
        with pytest.raises(ValueError, match=r"itemsize|one length"):
            sum_runs(memory, memory, itemsize, starts, count, np.ascontiguousarray(out))
    table.flags.writeable = False
    with pytest.raises(TypeError, match="read-write"):
        sum_runs(memory, memory, 4, one, sizes, table)


def test_where_there_is_a_compiler_the_sums_are_compiled():
    headers = Path(sysconfig.get_paths()["include"]) / "Python.h"
    if not shutil.which("cc") or not headers.exists():
        pytest.skip("no C compiler or no headers of Python on this machine")
    assert IS_COMPILED, f"{runs.__file__}: install the package again, and read what the compiler says"
