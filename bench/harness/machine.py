"""What the machine is: numbers without it say little."""

import os
import platform
import time
from importlib import metadata
from pathlib import Path

LIBRARIES = ("numpy", "onnx", "onnxruntime", "click", "ipudebug")


def read_cpu_name(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Return the processor's name as the system gives it."""
    if cpuinfo.exists():
        for line in cpuinfo.read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def count_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def read_version(name: str) -> str:
    """Return the name and version of an installed package, or that it is not installed."""
    try:
        return f"{name} {metadata.version(name)}"
    except metadata.PackageNotFoundError:
        return f"{name} not installed"


def describe_machine() -> str:
    """Return date, cores, processor, system, Python and library versions in one line."""
    facts = [
        time.strftime("%Y-%m-%d"),
        f"{count_cores()} cores of {read_cpu_name()}",
        f"{platform.system()} {platform.release()}",
        f"Python {platform.python_version()}",
        *map(read_version, LIBRARIES),
    ]
    return ", ".join(facts)
