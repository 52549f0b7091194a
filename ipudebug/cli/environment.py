"""What this program runs on."""

from __future__ import annotations

import importlib.metadata
import platform
from typing import Any

from ipudebug import __version__

PACKAGES = ("numpy", "onnx", "onnxruntime", "pillow", "opencv-python-headless", "ai-edge-litert")


def describe_environment(packages: tuple[str, ...] = PACKAGES) -> dict[str, Any]:
    """Return the versions of ipudebug, Python, the system and of those packages that are installed."""
    return {
        "tool": f"ipudebug {__version__}",
        "system": platform.platform(),
        "versions": list_versions(packages),
    }


def list_versions(packages: tuple[str, ...]) -> dict[str, str]:
    """Return name -> version of Python and of those packages that are installed."""
    found = [dist for name in packages for dist in importlib.metadata.distributions(name=name)]
    return {"python": platform.python_version(), **{dist.name: dist.version for dist in found}}
