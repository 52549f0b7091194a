"""The -n argument -> preprocess functions, loaded from the user's own files."""

from __future__ import annotations

import contextlib
import inspect
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from ipudebug.errors import InputError
from ipudebug.inputs.script import PreprocessFailed, PreprocessNotFound, Script
from ipudebug.tensor import dims

FUNCTION = "image_preprocess"
SIGNATURE = f"def {FUNCTION}(image_path, norm=True)"

__all__ = ["FUNCTION", "SIGNATURE", "Preprocess", "PreprocessFailed", "PreprocessNotFound", "load_preprocess"]


class Preprocess:
    """A loaded preprocess file: calling it turns a path into an array."""

    def __init__(self, script: Script) -> None:
        """Take the script's function; raises InputError if there is none, or none that can be given a norm flag."""
        self.path = script.path
        self._script = script
        self._function = _find_function(script)
        self._keyword = _takes_norm_keyword(script.path, self._function)

    def __call__(self, image: str, norm: bool) -> np.ndarray:
        """Return what the function makes of ``image``: normalised with ``norm``, else as the board takes it.

        Raises PreprocessFailed or MissingDependency, or InputError if the result is no array of numbers.
        """
        call = f"{FUNCTION}({image!r}, norm={norm})"
        with self._script.running(call):
            result = self._function(image, norm=norm) if self._keyword else self._function(image, norm)
        return _check_result(result, f"{self.path}: {call}")

    def __repr__(self) -> str:
        """Return the class and the file."""
        return f"{type(self).__name__}({self.path!r})"


def load_preprocess(argument: str) -> list[Preprocess]:
    """Return one Preprocess per file of ``argument``, ``,`` between them, in the order of the model's inputs.

    Raises PreprocessNotFound, PreprocessFailed, MissingDependency or InputError.
    """
    paths = [path.strip() for path in ([argument] if os.path.isfile(argument) else argument.split(","))]
    if not all(paths):
        raise InputError(f"-n {argument!r}: expected file,file,... found an empty entry", "remove the extra comma")
    return [Preprocess(Script(path)) for path in paths]


def _find_function(script: Script) -> Callable[..., Any]:
    """Return the function that the contract asks for; raises InputError."""
    function = getattr(script.module, FUNCTION, None)
    if not callable(function):
        older = "it defines get_image, the older form; add: " if hasattr(script.module, "get_image") else "define "
        message = f"No preprocess function found in {script.path}: expected {SIGNATURE}, found none"
        raise InputError(message, older + SIGNATURE)
    found: Callable[..., Any] = function
    return found


def _takes_norm_keyword(path: str, function: Callable[..., Any]) -> bool:
    """Return whether the flag goes in as ``norm=``; False where only its position says what it is.

    Raises InputError where neither is safe: a second parameter with a default that is no flag, such as a size.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # a compiled function does not show its parameters
        return True
    with contextlib.suppress(TypeError):
        signature.bind("image", norm=True)
        return True
    with contextlib.suppress(TypeError):
        signature.bind("image", True)
        second = list(signature.parameters.values())[min(1, len(signature.parameters) - 1)]
        if second.default is inspect.Parameter.empty or isinstance(second.default, bool):
            return False
    raise InputError(
        f"{path}: {FUNCTION}{signature}: the second parameter must be norm, expected {SIGNATURE}",
        "norm=True returns the normalised float32 array, norm=False what the board is fed with",
    )


def _check_result(result: object, call: str) -> np.ndarray:
    """Return the result if it is an array with numbers in it; raises InputError."""
    if not isinstance(result, np.ndarray):
        kind = f"{type(result).__module__}.{type(result).__qualname__}".removeprefix("builtins.")
        hint = "return numpy.asarray(...), with a batch dimension"
        if result is None:
            hint = "does the function end in a return statement? did the image load?"
        elif hasattr(result, "numpy"):
            hint = "return .numpy() of it"
        raise InputError(f"{call} returned {kind}, expected numpy.ndarray", hint)
    if result.dtype.hasobject:
        raise InputError(
            f"{call} returned an array of {result.dtype}, expected numbers",
            "arrays of unequal shapes were put together; return one array of one dtype",
        )
    if result.size == 0:
        message = f"{call} returned an empty array {dims(result.shape)}, expected data"
        raise InputError(message, "did the image load?")
    return result
