"""A headless Chromium for tests, and what a page looks like and says in it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"


class Browser:
    """Runs a browser on pages of one folder; what it writes stays in there."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder

    def run(self, page: Path, *options: str) -> subprocess.CompletedProcess[str]:
        """Open a page and return what the browser printed."""
        fixed = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr"]
        profile = f"--user-data-dir={self._folder / 'profile'}"
        command = [self._program, *fixed, profile, *options, page.as_uri()]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, errors="replace")

    def dump(self, page: Path, *options: str) -> tuple[str, list[str]]:
        """Return the page as it is after its scripts have run, and what it wrote to the console."""
        done = self.run(page, "--dump-dom", "--virtual-time-budget=2000", *options)
        return done.stdout, re.findall(r"CONSOLE[^\]]*\] (.*)", done.stderr)


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    """Return a browser; without one the test is skipped."""
    program = next(filter(None, map(shutil.which, NAMES)), MAC if Path(MAC).exists() else None)
    if program is None:
        pytest.skip("no Chromium or Chrome is installed: the page cannot be opened in a real browser")
    return Browser(program, tmp_path)
