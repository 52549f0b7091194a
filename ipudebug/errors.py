"""Every error that ipudebug raises on purpose.

::

    IpuDebugError                 a fault that the user can mend
    ├── ConfigError               an ini, a DebugConfig.txt, a map file
    ├── InputError                images, preprocess files, feeding a model
    ├── ModelError                a model file
    │   ├── UnsupportedOp         an operator that nothing here can compute
    │   └── NodeFailed            an operator that failed while it ran
    ├── DumpError                 a dump file
    │   ├── UnknownFormat         not a dump at all
    │   ├── TruncatedDump         it ends too early
    │   └── CorruptDump           it contradicts itself or the grammar
    ├── AlignmentError            two dumps that share nothing
    ├── OutputError               a result that cannot be written
    ├── BoardError                a remote IPU server
    ├── UnknownPlugin             a metric, report, runner ... of a name that does not exist
    └── MissingDependency         an optional package that is not installed

A message says what, where, what was expected and what was found; a hint says the next thing to do. A bug is never
an IpuDebugError: it keeps its traceback. Where the vendor's tools end in a built-in exception, a subclass inherits
from both, so that ``except FileNotFoundError`` goes on working.
"""


class IpuDebugError(Exception):
    """A fault that the user can mend: ``message`` states it, ``hint`` says what to do next."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        """Keep the two parts; ``str()`` of the error is the message alone."""
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """Return the message without the hint."""
        return self.message


class ConfigError(IpuDebugError):
    """A configuration file is missing, malformed or inconsistent."""


class InputError(IpuDebugError):
    """An image, a list, a preprocess file or an array does not fit."""


class ModelError(IpuDebugError):
    """A model file cannot be used."""


class UnsupportedOp(ModelError):
    """The model has an operator that cannot be computed here."""


class NodeFailed(ModelError):
    """An operator failed while the model ran."""


class DumpError(IpuDebugError):
    """A dump file cannot be used."""


class UnknownFormat(DumpError):
    """The file is no dump of any known format."""


class TruncatedDump(DumpError):
    """The dump ends before its last record is complete."""


class CorruptDump(DumpError):
    """The dump breaks the grammar, or its numbers contradict each other."""


class AlignmentError(IpuDebugError):
    """Two lists of tensors have nothing in common."""


class OutputError(IpuDebugError):
    """A result cannot be written."""


class BoardError(IpuDebugError):
    """A remote IPU server cannot be reached or answers wrongly."""


class UnknownPlugin(IpuDebugError, KeyError):
    """No part of that name is registered."""


class MissingDependency(IpuDebugError, ImportError):
    """An optional package is not installed."""
