"""A user's Python file, loaded and run so that it disturbs nothing: neither imports, nor stdout, nor files."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
import types
from collections.abc import Iterator

from ipudebug.errors import InputError, MissingDependency

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


class Script:
    """A loaded Python file: ``path`` and its ``module``, which has a private name.

    While it runs, its folder is the last place that imports look at. The neighbours that it imports are its own:
    another script's neighbour may have the same name. No bytecode is written.
    """

    def __init__(self, path: str) -> None:
        """Load the file; raises PreprocessNotFound, PreprocessFailed or MissingDependency."""
        self.path = path
        self._folder = os.path.dirname(os.path.abspath(path))
        self._neighbours: dict[str, types.ModuleType] = {}
        code = _compile_file(path)
        taken = sum(name.startswith("_ipudebug_script_") for name in sys.modules)
        self.module = types.ModuleType(f"_ipudebug_script_{taken}")
        self.module.__file__ = os.path.abspath(path)
        sys.modules[self.module.__name__] = self.module  # dataclasses and typing look a class's module up
        try:
            with self.running("loading it"):
                exec(code, self.module.__dict__)
        except BaseException:
            del sys.modules[self.module.__name__]
            raise

    @contextlib.contextmanager
    def running(self, what: str) -> Iterator[None]:
        """Run the script's code in the block: what it prints goes to stderr, what it raises becomes an error of ours.

        ``what`` says in the message what was going on. Raises PreprocessFailed or MissingDependency.
        """
        bytecode = sys.dont_write_bytecode
        before = set(sys.modules)
        sys.path.append(self._folder)
        sys.modules.update(self._neighbours)
        sys.dont_write_bytecode = True
        try:
            with contextlib.redirect_stdout(sys.stderr):
                yield
        except (Exception, SystemExit) as error:
            raise _translate(error, self.path, what) from error
        finally:
            sys.dont_write_bytecode = bytecode
            with contextlib.suppress(ValueError):
                sys.path.remove(self._folder)
            self._take_neighbours(before)

    def _take_neighbours(self, before: set[str]) -> None:
        """Move the modules that were imported from the script's folder out of everybody's sight."""
        new = [name for name in list(sys.modules) if name not in before]  # another thread may import, too
        tops = {name.partition(".")[0] for name in new}
        ours = {top for top in tops if top not in before and self._is_neighbour(sys.modules.get(top))}
        self._neighbours.update({name: sys.modules.pop(name) for name in new if name.partition(".")[0] in ours})

    def _is_neighbour(self, module: types.ModuleType | None) -> bool:
        """Return whether a top-level module or package lies in the script's folder."""
        places = list(getattr(module, "__path__", None) or [getattr(module, "__file__", None) or ""])
        return any(os.path.dirname(os.path.abspath(place)) == self._folder for place in places if place)


def _compile_file(path: str) -> types.CodeType:
    """Return the compiled file; raises PreprocessNotFound or PreprocessFailed."""
    if not os.path.isfile(path):
        near = f"did you mean {path}.py?" if os.path.isfile(f"{path}.py") else "give the path of a Python file"
        raise PreprocessNotFound(f"Can not find preprocess file: {path}", near)
    try:
        with open(path, "rb") as file:
            source = file.read()
        return compile(source, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        if error.lineno is None:  # bytes that are no text
            raise PreprocessFailed(f"{path} is not valid Python: {error}", "give the Python file itself") from error
        text = (error.text or "").strip()
        message = f"{text} SyntaxError: {error.msg}; {path}, line {error.lineno}, is not valid Python"
        raise PreprocessFailed(message, "correct that line") from error
    except (ValueError, RecursionError, MemoryError) as error:  # NUL bytes; expressions nested too deep
        raise PreprocessFailed(f"{path} is not valid Python: {error}", "give the Python file itself") from error
    except OSError as error:
        raise PreprocessFailed(f"cannot read {path}: {error.strerror}", "check the file's permissions") from None


def _translate(error: BaseException, path: str, what: str) -> PreprocessFailed | MissingDependency:
    """Return our error for what a script raised."""
    place = f"{path}, line {_find_line(error, path)}"
    package = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if package and sys.modules.get(package) is None:
        message = f"{place}, needs the package {package}, which is not installed"
        return MissingDependency(message, f"pip install {PACKAGES.get(package, package)}")
    reason = traceback.format_exception_only(error)[-1].strip()
    if isinstance(error, SyntaxError):  # in a neighbour that the file imports
        reason += f" in {error.filename}, line {error.lineno}"
    hint = "the preprocess file failed; try it alone in Python"
    if isinstance(error, OSError):  # Pillow's errors of files that are no images, or end too early, are of these
        hint = "is the image whole, and an image? if it opens elsewhere, try the preprocess file alone in Python"
    return PreprocessFailed(f"{place}: {reason} ({what})", hint)


def _find_line(error: BaseException, path: str) -> int:
    """Return the line of ``path`` that an exception last went through, 0 if none."""
    lines = [frame.lineno or 0 for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    return lines[-1] if lines else 0
