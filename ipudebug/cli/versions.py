"""Versions of what took part: for the manifest of a dump, and for a bundle."""

from __future__ import annotations

import platform
from typing import Any

from ipudebug import __version__

PACKAGES = ("onnx", "onnxruntime", "pillow", "opencv-python-headless", "ai-edge-litert")


def list_versions(*packages: str) -> dict[str, str]:
    """Return the versions of Python, of numpy and of those of ``packages`` that are installed."""
    import importlib.metadata

    found = [dist for name in ("numpy", *packages) for dist in importlib.metadata.distributions(name=name)]
    return {"python": platform.python_version(), **{dist.name: dist.version for dist in found}}


def describe_environment() -> dict[str, Any]:
    """Return the versions of ipudebug, of the system and of all packages that it may use."""
    return {"tool": f"ipudebug {__version__}", "system": platform.platform(), "versions": list_versions(*PACKAGES)}
