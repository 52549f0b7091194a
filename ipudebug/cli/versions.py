"""Versions of what computed the tensors of a dump, for its manifest."""

from __future__ import annotations

import platform


def list_versions(package: str) -> dict[str, str]:
    """Return the versions of Python, numpy and ``package``."""
    import importlib.metadata

    found = [dist for name in ("numpy", package) for dist in importlib.metadata.distributions(name=name)]
    return {"python": platform.python_version(), **{dist.name: dist.version for dist in found}}
