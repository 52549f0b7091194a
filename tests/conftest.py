"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A deadline would make a busy machine a failure; in CI the same cases are drawn each time, so that red means a change.
settings.register_profile(
    "ipudebug", deadline=None, derandomize="CI" in os.environ, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ipudebug")

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
