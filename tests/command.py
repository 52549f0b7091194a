"""Runs a command line in this process and returns all of what it printed."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ipudebug.cli.app import run


@dataclass(frozen=True)
class Outcome:
    """What a command line came to."""

    code: int
    stdout: str
    stderr: str


def run_command(capfd: pytest.CaptureFixture[str], *arguments: str) -> Outcome:
    """Return exit code, stdout and stderr of ``ipudebug ARGUMENTS``."""
    capfd.readouterr()
    code = run([str(argument) for argument in arguments])
    captured = capfd.readouterr()
    return Outcome(code, captured.out, captured.err)
