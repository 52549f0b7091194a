"""Versions of what took part: for the manifest of a dump, and for a bundle."""

from __future__ import annotations

import platform
import sys
from typing import Any

from ipudebug import __version__

PACKAGES = ("onnx", "onnxruntime", "pillow", "opencv-python-headless", "ai-edge-litert")


_MODULES = {"pillow": "PIL", "opencv-python-headless": "cv2", "ai-edge-litert": "ai_edge_litert"}
"""Packages whose module has another name."""


def list_versions(*packages: str) -> dict[str, str]:
    """Return the versions of Python, of numpy and of those of ``packages`` that are installed."""
    found = {package: _find_version(package) for package in ("numpy", *packages)}
    return {"python": platform.python_version(), **{package: text for package, text in found.items() if text}}


def _find_version(package: str) -> str:
    """Return a package's version, "" if it is not installed."""
    version = getattr(sys.modules.get(_MODULES.get(package, package)), "__version__", "")
    if version:  # a module that is loaded says it at once; looking at all that is installed takes tens of milliseconds
        return str(version)
    import importlib.metadata

    return next((dist.version for dist in importlib.metadata.distributions(name=package)), "")


def describe_environment() -> dict[str, Any]:
    """Return the versions of ipudebug, of the system and of all packages that it may use."""
    return {"tool": f"ipudebug {__version__}", "system": platform.platform(), "versions": list_versions(*PACKAGES)}
