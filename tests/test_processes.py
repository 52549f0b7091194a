"""Work that is shared among processes comes out as if one had done it."""

from __future__ import annotations

import os
import signal
import sys
import threading

import pytest

from ipudebug.errors import InputError, IpuDebugError
from ipudebug.processes import overlap_work, share_work

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="several processes need a fork")


@pytest.mark.parametrize("jobs", [0, 1, 2, 5])
def test_results_come_in_order(jobs: int) -> None:
    offset = 100
    assert list(share_work(lambda number: number + offset, range(3, 12), jobs)) == list(range(103, 112))
    assert list(share_work(lambda number: number, range(0), jobs)) == []


@on_linux
def test_the_work_is_done_elsewhere() -> None:
    assert os.getpid() not in set(share_work(lambda _: os.getpid(), range(4), 2))


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_keeps_its_hint(jobs: int) -> None:
    def work(number: int) -> int:
        if number == 2:
            raise InputError("this is wrong", "mend it")
        return number

    results = share_work(work, range(4), jobs)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(InputError, match="this is wrong") as caught:
        next(results)
    assert caught.value.hint == "mend it"


@on_linux
def test_a_process_that_is_killed_is_an_error() -> None:
    with pytest.raises(IpuDebugError, match="a process that shared the work was killed, perhaps for lack of memory"):
        list(share_work(lambda _: os.kill(os.getpid(), signal.SIGKILL), range(4), 2))


def test_one_is_prepared_while_another_is_finished() -> None:
    """Here in this thread, there in another; the second is prepared before the first is finished."""
    here, order = threading.get_ident(), []
    prepared = threading.Event()

    def prepare(number: int) -> str:
        assert threading.get_ident() == here
        order.append(f"prepare {number}")
        if number == 4:
            prepared.set()
        return f"made {number}"

    def finish(number: int, made: str) -> str:
        assert threading.get_ident() != here
        assert prepared.wait(10)
        order.append(f"finish {number}")
        return f"{number}: {made}"

    results = overlap_work(prepare, finish, [3, 4, 7], lambda: order.append("start"))
    assert list(results) == ["3: made 3", "4: made 4", "7: made 7"]
    assert [step for step in order if step != "start"][:3] == ["prepare 3", "prepare 4", "finish 3"]
    assert order.index("start") < order.index("finish 3")
    assert list(overlap_work(prepare, finish, [])) == []


def _fail(what: str) -> None:
    raise InputError(what, "mend it")


def test_what_is_known_before_an_error_comes_before_it() -> None:
    finished: list[int] = []

    def finish(number: int, _: object) -> int:
        if number == 1:
            _fail("finishing")
        finished.append(number)
        return number

    def prepare(number: int) -> None:
        if number == 2:
            _fail("preparing")

    results = overlap_work(prepare, finish, [0, 2, 3])
    assert next(results) == 0
    with pytest.raises(InputError, match="preparing"):
        next(results)
    results = overlap_work(lambda _: None, finish, [5, 1, 6])
    assert next(results) == 5
    with pytest.raises(InputError, match="finishing"):
        next(results)
    assert finished == [0, 5]  # and none behind the error
    with pytest.raises(InputError, match="starting"):
        next(overlap_work(prepare, finish, [0, 3], lambda: _fail("starting")))
