"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REFERENCE = Path(os.environ.get("IPUDEBUG_REFERENCE", Path(__file__).parents[2] / "shared" / "reference"))


@pytest.fixture(scope="session")
def reference() -> Path:
    """Return the folder of the vendor's real artefacts; without it the test is skipped."""
    if not REFERENCE.is_dir():
        pytest.skip(f"no reference artefacts at {REFERENCE}: set IPUDEBUG_REFERENCE to their folder")
    return REFERENCE


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the caller's settings out of the tests."""
    for name in ("SAVE_ONE_ROW", "COLUMNS", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
