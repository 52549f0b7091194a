"""Every command that a README shows is run, and prints what the README says.

A ``console`` block holds lines that begin with ``$ ``, each followed by what the command prints: stdout, then stderr. A
line of three dots stands for any lines. The blocks of one README run in their order, in one temporary copy of its
folder; a block whose fence says ``console skip`` is not run, and says why in the text around it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
READMES = [ROOT / "README.md", *sorted(ROOT.glob("examples/*/README.md"))]
FENCE = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"((?:[^\n]*\\\n)*[^\n]*\n)(.*)", re.DOTALL)  # a line that ends in a backslash goes on


def find_commands(text: str) -> Iterator[tuple[str, str]]:
    """Yield every command with the output that is shown below it."""
    for block in FENCE.findall(text):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, output = COMMAND.fullmatch(part).groups()  # type: ignore[union-attr]
            yield command.strip(), output


def matches(expected: str, found: str) -> bool:
    """Return whether an output is as shown: three dots stand for any lines, and blanks at line ends do not count."""
    found = re.sub(r"[ \t]+$", "", found, flags=re.MULTILINE)
    pattern = "".join(r"(?:.*\n)*" if line == "...\n" else re.escape(line) for line in expected.splitlines(True))
    return re.fullmatch(pattern, found) is not None


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """Return the environment for the commands: ``ipudebug`` and ``python`` are those under test."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, arguments in (("ipudebug", "-m ipudebug"), ("python", ""), ("python3", "")):
        (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
        (tools / name).chmod(0o755)
    settings = {name: value for name, value in os.environ.items() if name not in ("SAVE_ONE_ROW", "FORCE_COLOR")}
    return {**settings, "PATH": f"{tools}:{settings['PATH']}", "COLUMNS": "110"}


@pytest.mark.parametrize("readme", READMES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_prints_what_the_readme_says(readme: Path, tmp_path: Path, shell: dict[str, str]) -> None:
    folder = tmp_path / "folder"
    if readme.parent == ROOT:
        folder.mkdir()
    else:
        shutil.copytree(readme.parent, folder)
    commands = list(find_commands(readme.read_text(encoding="utf-8")))
    assert commands, "no console block"
    for command, expected in commands:
        done = subprocess.run(
            ["bash", "-c", command], cwd=folder, env=shell, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=300, check=False,
        )  # fmt: skip
        found = done.stdout + done.stderr
        assert matches(expected, found), f"$ {command}\n--- expected\n{expected}--- found\n{found}"


def test_three_dots_stand_for_any_lines() -> None:
    assert matches("a\n...\nd\n", "a\nb\nc\nd\n")
    assert matches("a\n...\nd\n", "a\nd\n")
    assert not matches("a\n...\nd\n", "a\nb\n")
    assert not matches("a.c\n", "abc\n")
