"""Numbered pieces of work, done by one process or several; what comes out does not depend on how many."""

from __future__ import annotations

import contextlib
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from ipudebug.errors import IpuDebugError

T = TypeVar("T")


def share_work(work: Callable[[int], T], numbers: range, jobs: int) -> Iterator[T]:
    """Yield ``work(number)`` for every number, in order, as they become known; ``jobs`` processes share them.

    Several processes need a fork, so ``jobs`` counts on Linux only. What ``work`` holds is inherited, what it returns
    goes through a pipe; what it raises is raised here. Nothing may have run in onnxruntime before: its threads do not
    survive a fork. Raises IpuDebugError for a process that is killed.
    """
    if jobs <= 1 or len(numbers) <= 1 or sys.platform != "linux":
        yield from map(work, numbers)
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(min(jobs, len(numbers)), context, initializer=_take_work, initargs=(work,))
    try:
        with warnings.catch_warnings(), _signals_held():
            # Python warns of forking beside threads; the only others here are OpenBLAS's, which survive a fork.
            warnings.simplefilter("ignore", DeprecationWarning)
            results = pool.map(_do_work, numbers)
        yield from results
    except BrokenProcessPool:
        raise IpuDebugError(
            "a process that shared the work was killed, perhaps for lack of memory", "try again with one process"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """Hold Ctrl-C and SIGTERM back in this block: a pool that is half started cannot be stopped.

    The children forked in it never see Ctrl-C: the parent ends them.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_work: Callable[[int], Any]  # in a child process only


def _take_work(work: Callable[[int], Any]) -> None:
    """Keep what the parent hands over, in a child process, which dies of SIGTERM at once."""
    global _work
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    _work = work


def _do_work(number: int) -> Any:
    """Return what one piece comes to, in a child process."""
    return _work(number)
