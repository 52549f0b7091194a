"""The command line: argv -> calls of the library, errors -> text and an exit code.

Exit codes as in diff(1): 0 done, and within the thresholds if any were asked for; 1 a threshold was missed; 2 trouble;
130 interrupted. Only this package imports click, reads the environment, the clock or the working directory.
"""

import sys


def main() -> None:
    """Run the command that ``sys.argv`` names and exit with its code."""
    import signal

    from ipudebug.cli.app import Terminated, run
    from ipudebug.cli.streams import open_streams

    def stop(*_: object) -> None:
        raise Terminated

    # A plain death would leave half-written files and child processes behind.
    signal.signal(signal.SIGTERM, stop)
    open_streams()
    sys.exit(run(sys.argv[1:]))
