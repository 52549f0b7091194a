"""Work that is shared among processes comes out as if one had done it."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from ipudebug.errors import InputError, IpuDebugError
from ipudebug.processes import share_work

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
