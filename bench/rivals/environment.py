"""A virtual environment of the bench's own with Polygraphy, beside the libraries in the versions that ipudebug uses."""

import json
from importlib import metadata
from pathlib import Path

from bench.harness import BenchError, Context, Unavailable

WITH_OURS = ("numpy", "onnx", "onnxruntime")


def prepare_polygraphy(context: Context) -> Path:
    """Return the interpreter of the environment, made on first use.

    Raises:
        Unavailable: PyPI is out of reach; asked again, the answer is the same without another attempt.
    """
    folder = context.shared / "polygraphy"
    python, ready, failed = folder / "bin" / "python", folder / "ready.json", folder / "failed.txt"
    if failed.exists():
        raise Unavailable(failed.read_text("utf-8"))
    if ready.exists():
        return python
    context.say("making an environment with Polygraphy")
    wanted = ["polygraphy", "pillow", *(f"{name}=={metadata.version(name)}" for name in WITH_OURS)]
    try:
        context.run([context.python, "-m", "venv", folder])
        context.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted])
        asked = context.run([python, "-c", "import polygraphy; print(polygraphy.__version__)"])
    except BenchError as error:
        folder.mkdir(exist_ok=True)
        failed.write_text(f"no environment with Polygraphy: {error}", "utf-8")
        raise Unavailable(failed.read_text("utf-8")) from error
    ready.write_text(json.dumps({"polygraphy": asked.stdout.strip()}), "utf-8")
    return python


def read_polygraphy_version(context: Context) -> str:
    """Return the version that ``prepare_polygraphy`` installed."""
    version: str = json.loads((context.shared / "polygraphy" / "ready.json").read_text("utf-8"))["polygraphy"]
    return version
