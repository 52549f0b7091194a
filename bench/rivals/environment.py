"""A virtual environment of the bench's own with Polygraphy, beside the libraries in the versions that ipudebug uses."""

import json
from importlib import metadata
from pathlib import Path

from bench.harness import BenchError, Context

WITH_OURS = ("numpy", "onnx", "onnxruntime")


def prepare_polygraphy(context: Context) -> Path:
    """Return the interpreter of the environment, made on first use; raises BenchError where PyPI is out of reach."""
    folder = context.shared / "polygraphy"
    python = folder / "bin" / "python"
    ready = folder / "ready.json"
    if not ready.exists():
        context.say("making an environment with Polygraphy")
        context.run([context.python, "-m", "venv", folder])
        wanted = ["polygraphy", "pillow", *(f"{name}=={metadata.version(name)}" for name in WITH_OURS)]
        context.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted])
        version = context.run([python, "-c", "import polygraphy; print(polygraphy.__version__)"]).stdout.strip()
        if not version:
            raise BenchError("Polygraphy was installed but does not tell its version")
        ready.write_text(json.dumps({"polygraphy": version}), "utf-8")
    return python


def read_polygraphy_version(context: Context) -> str:
    """Return the version that ``prepare_polygraphy`` installed."""
    version: str = json.loads((context.shared / "polygraphy" / "ready.json").read_text("utf-8"))["polygraphy"]
    return version
