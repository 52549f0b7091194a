"""A whole process, timed, with its peak memory."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launcher.py")

# Python that may not keep what it compiled compiles every module at every start; an installed program never does.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


class BenchError(Exception):
    """Something that was to be measured failed, or computed a wrong number."""


class Unavailable(BenchError):
    """A rival cannot be had on this machine; its rows are left out."""


@dataclass(frozen=True)
class Run:
    """What one process did.

    Attributes:
        seconds: wall clock, from its start to its end.
        peak: largest resident memory in bytes (see ``run_process``).
        code: exit code; negative for a signal.
        stdout: what it printed; empty when its output went to a file.
        stderr: what it said.
    """

    seconds: float
    peak: int
    code: int
    stdout: str = ""
    stderr: str = ""


def run_process(
    argv: Sequence[str | Path],
    *,
    cwd: Path,
    stdout: str | Path | None = None,
    env: Mapping[str, str] | None = None,
    check: bool = True,
    whole_tree: bool = False,
) -> Run:
    """Return the Run of one program.

    Args:
        argv: the program, looked up in PATH, and its arguments.
        cwd: its working directory.
        stdout: a file for its output; None keeps it in ``Run.stdout``.
        env: variables to set on top of the bench's own.
        check: raise BenchError when it ends with anything but 0.
        whole_tree: count the memory of all its descendants together (Linux). This disturbs the time, so take time and
            memory from different runs. Without it the peak is that of the largest single process.
    """
    with tempfile.TemporaryDirectory(prefix="ipudebug-bench-") as scratch:
        captured, errors = Path(scratch, "stdout"), Path(scratch, "stderr")
        order = {
            "argv": [os.fspath(part) for part in argv],
            "cwd": os.fspath(cwd),
            "env": {**_ENVIRONMENT, **(env or {})},
            "stdout": os.fspath(stdout or captured),
            "stderr": os.fspath(errors),
            "whole_tree": whole_tree,
        }
        launcher = [sys.executable, "-I", "-S", str(LAUNCHER)]
        answer = subprocess.run(launcher, input=json.dumps(order), capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            reason = answer.stderr.strip().splitlines()
            raise BenchError(f"{order['argv'][0]} could not be started: {reason[-1] if reason else 'no reason given'}")
        printed = captured.read_text("utf-8", "replace") if captured.exists() else ""
        said = errors.read_text("utf-8", "replace") if errors.exists() else ""
    run = Run(**json.loads(answer.stdout), stdout=printed, stderr=said)
    if check and run.code != 0:
        last = "; ".join(said.strip().splitlines()[-3:]) or "it said nothing"
        raise BenchError(f"exit code {run.code} of {' '.join(order['argv'])}: {last}")
    return run
