"""Numbered pieces of work, done by one process or several, one thread or two; the results are the same."""

from __future__ import annotations

import contextlib
import signal
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from ipudebug.errors import IpuDebugError

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")
M = TypeVar("M")


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


def overlap_work(
    prepare: Callable[[int], M],
    finish: Callable[[int, M], T],
    numbers: Iterable[int],
    start: Callable[[], object] = lambda: None,
) -> Iterator[T]:
    """Yield ``finish(number, prepare(number))`` for every number, in order, as they become known.

    A thread finishes one while this thread, and no other, prepares the next; ``start`` is what the thread does before
    all. What any of them raises is raised here, when the results before it are known.
    """
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as thread:
        started = thread.submit(start)
        pending: Future[T] | None = None
        for number in numbers:
            try:
                made = prepare(number)
            except IpuDebugError:
                if pending is not None:
                    yield pending.result()
                raise
            started.result()
            done = None if pending is None else [pending.result()]
            pending = thread.submit(finish, number, made)
            del made
            if done:
                yield done.pop()
        if pending is not None:
            yield pending.result()


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
