"""Find the layer where a model loses accuracy on its way to a SigmaStar IPU.

The names in reading order: ``run`` a model, ``open_dump`` and ``write_dump`` for the files that hold its tensors,
``compare`` two of them, ``diagnose`` where and why they part. Each is imported when it is first used, so that importing
ipudebug costs next to nothing.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipudebug.comparison import Comparison, LayerResult, compare
    from ipudebug.diagnosis.judgement import diagnose
    from ipudebug.diagnosis.verdict import Diagnosis
    from ipudebug.dumps import DumpReader, open_dump, write_dump
    from ipudebug.errors import IpuDebugError
    from ipudebug.runners import run
    from ipudebug.tensor import Layout, QuantParams, Tensor, TensorInfo

__version__ = "0.1.0"

_HOME = {
    "run": "ipudebug.runners",
    "open_dump": "ipudebug.dumps",
    "write_dump": "ipudebug.dumps",
    "DumpReader": "ipudebug.dumps",
    "compare": "ipudebug.comparison",
    "Comparison": "ipudebug.comparison",
    "LayerResult": "ipudebug.comparison",
    "diagnose": "ipudebug.diagnosis.judgement",
    "Diagnosis": "ipudebug.diagnosis.verdict",
    "Tensor": "ipudebug.tensor",
    "TensorInfo": "ipudebug.tensor",
    "QuantParams": "ipudebug.tensor",
    "Layout": "ipudebug.tensor",
    "IpuDebugError": "ipudebug.errors",
}

__all__ = [
    "Comparison",
    "Diagnosis",
    "DumpReader",
    "IpuDebugError",
    "LayerResult",
    "Layout",
    "QuantParams",
    "Tensor",
    "TensorInfo",
    "__version__",
    "compare",
    "diagnose",
    "open_dump",
    "run",
    "write_dump",
]


def __getattr__(name: str) -> object:
    """Import a public name from its home on first use (PEP 562)."""
    import importlib
    import sys

    if name not in _HOME:
        raise AttributeError(f"module 'ipudebug' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    setattr(sys.modules[__name__], name, value)
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return list(__all__)
