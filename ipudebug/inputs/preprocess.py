"""The -n argument -> preprocess functions, loaded from the user's own files."""

from __future__ import annotations

import contextlib
import inspect
import os
import sys
import traceback
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ipudebug.errors import InputError, MissingDependency

FUNCTION = "image_preprocess"
SIGNATURE = f"def {FUNCTION}(image_path, norm=True)"
PACKAGES = {
    "cv2": "opencv-python-headless",
    "PIL": "pillow",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "PyYAML",
}
"""Modules whose package has another name."""


class PreprocessNotFound(InputError, FileNotFoundError):
    """There is no such preprocess file."""


class PreprocessFailed(InputError):
    """A preprocess file does not compile, or raises while it is loaded or called."""


class Preprocess:
    """A loaded preprocess file: calling it turns a path into an array."""

    def __init__(self, path: str, function: Callable[..., Any]) -> None:
        """Take the function that the file at ``path`` defines; raises InputError if it cannot be given a norm flag."""
        self.path = path
        self._function = function
        self._keyword = _takes_norm_keyword(path, function)

    def __call__(self, image: str, norm: bool) -> np.ndarray:
        """Return what the function makes of ``image``: normalised with ``norm``, else as the board takes it.

        What the file prints goes to stderr. Raises PreprocessFailed, or InputError if the result is no numeric array.
        """
        with _running(self.path, f"{FUNCTION}({image!r}, norm={norm})"):
            result = self._function(image, norm=norm) if self._keyword else self._function(image, norm)
        return _check_result(result, f"{self.path}: {FUNCTION}({image!r}, norm={norm})")

    def __repr__(self) -> str:
        """Return the class and the file."""
        return f"{type(self).__name__}({self.path!r})"


def load_preprocess(argument: str) -> list[Preprocess]:
    """Return one Preprocess per file of ``argument``, ``,`` between them, in the order of the model's inputs.

    A file may import its neighbours: its folder is the last place that imports look at while it runs. Raises
    PreprocessNotFound, PreprocessFailed, MissingDependency or InputError.
    """
    paths = [path.strip() for path in argument.split(",")]
    if not all(paths):
        raise InputError(f"-n {argument!r}: expected file,file,... found an empty entry", "remove the extra comma")
    return [_load_file(path) for path in paths]


def _load_file(path: str) -> Preprocess:
    """Return the preprocess function of one file."""
    if not os.path.isfile(path):
        near = f"did you mean {path}.py? " if os.path.isfile(f"{path}.py") else ""
        raise PreprocessNotFound(
            f"Can not find preprocess file: {path}", near + "give the path of a Python file that defines " + SIGNATURE
        )
    try:
        with open(path, "rb") as file:
            source = file.read()
        code = compile(source, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        text = (error.text or "").strip()
        raise PreprocessFailed(
            f"{text} SyntaxError: {error.msg}; {path}, line {error.lineno}, is not valid Python", "correct that line"
        ) from error
    except (ValueError, RecursionError, MemoryError) as error:  # NUL bytes; expressions nested too deep
        raise PreprocessFailed(f"{path} is not valid Python: {error}", "give the Python file itself") from error
    except OSError as error:
        raise PreprocessFailed(f"cannot read {path}: {error.strerror}", "check the file's permissions") from None
    # A private name of its own, so that neither an installed module nor a second script is taken for it.
    name = f"_ipudebug_preprocess_{sum(key.startswith('_ipudebug_preprocess_') for key in sys.modules)}"
    module = types.ModuleType(name)
    module.__file__ = os.path.abspath(path)
    sys.modules[name] = module
    try:
        with _running(path, "loading it"):
            exec(code, module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    function = getattr(module, FUNCTION, None)
    if not callable(function):
        older = "it defines get_image, the older form; add: " if hasattr(module, "get_image") else "define "
        raise InputError(f"No preprocess function found in {path}: expected {SIGNATURE}", older + SIGNATURE)
    return Preprocess(path, function)


@contextlib.contextmanager
def _running(path: str, what: str) -> Iterator[None]:
    """Run a user's code: its folder importable, its output on stderr, its failure as an error of ours."""
    folder = os.path.dirname(os.path.abspath(path))
    sys.path.append(folder)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except (Exception, SystemExit) as error:
        package = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
        if package and sys.modules.get(package) is None:
            raise MissingDependency(
                f"{path}, line {_find_line(error, path)}, needs the package {package}, which is not installed",
                f"pip install {PACKAGES.get(package, package)}",
            ) from error
        reason = traceback.format_exception_only(error)[-1].strip()
        if isinstance(error, SyntaxError):  # in a neighbour that the file imports
            reason += f" in {error.filename}, line {error.lineno}"
        raise PreprocessFailed(
            f"{path}, line {_find_line(error, path)}: {reason} ({what})",
            "the preprocess file failed; try it alone in Python",
        ) from error
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(folder)


def _find_line(error: BaseException, path: str) -> int:
    """Return the line of ``path`` that an exception last went through, 0 if none."""
    lines = [frame.lineno or 0 for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    return lines[-1] if lines else 0


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
        shape = "x".join(map(str, result.shape))
        raise InputError(f"{call} returned an empty array ({shape}), expected data", "did the image load?")
    return result
