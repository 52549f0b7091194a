"""The command line: argv -> calls of the library, errors -> text and an exit code.

Exit codes as in diff(1): 0 done, and within the thresholds if any were asked for; 1 a threshold was missed; 2 trouble;
130 interrupted. Only this package imports click, reads the environment, the clock or the working directory.
"""

import gc
import sys
from typing import NoReturn

EXIT_INTERRUPTED = 130
"""As a shell reports a process that SIGINT ended."""

FEW_COLLECTIONS = 50_000
"""New objects before Python looks for cycles among them; its own 700 cost a short command a tenth of its time.

Nothing large hangs in a cycle here: the memory that commands take is the same.
"""


def main() -> NoReturn:
    """Run the command that ``sys.argv`` names and exit with its code."""
    gc.set_threshold(FEW_COLLECTIONS)
    try:
        import signal

        from ipudebug.cli.app import Terminated, run
        from ipudebug.cli.streams import open_streams

        def stop(*_: object) -> None:
            raise Terminated

        # A plain death would leave half-written files and child processes behind.
        signal.signal(signal.SIGTERM, stop)
        open_streams()
        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while this was imported; ``run`` takes every other
        print("interrupted", file=sys.stderr)  # noqa: T201 - before there is anything to print with
        code = EXIT_INTERRUPTED
    leave(code)


def leave(code: int) -> NoReturn:
    """End the process with an exit code, but do not take the interpreter apart first.

    That would take 15 ms with NumPy and 30 ms with onnxruntime, a tenth of many a command. What was registered for the
    end is done. A profiler, which prints after it, and threads that a user's file left running have the usual end.
    """
    import atexit
    import os
    import threading

    if sys.getprofile() is not None or threading.active_count() > 1:
        sys.exit(code)
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
