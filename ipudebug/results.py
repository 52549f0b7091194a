r"""Result files: the final outputs of one run as text, in the grammar of SigmaStar's simulator.

::

    <name> Tensor:
    {
    tensor dim:<n>,  Original shape:[a b c][,  Alignment shape:[a b c8]]
    [The following tensor data shape is alignment shape.]
    tensor data:
    <%f>  <%f>  ...        each value followed by two blanks, 16 in a row
    }
    <an empty line>

for every output; this is what is written. SDK 1.1.5 separates the shapes with ``,\t`` and puts 12 values in a row; the
reader takes both. An alignment shape means that the innermost dimension is padded: by the vendor's simulator with
whatever lay in memory, here with zeros.

With category Classification the file is the image's name, then lines ``<index> <%f>``, best first.
"""

from __future__ import annotations

import itertools
import math
import os
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ipudebug.dumps.decimals import IN_ROW, format_rows
from ipudebug.errors import InputError, OutputError
from ipudebug.files import OpenFile, replace_file
from ipudebug.tensor import Tensor, TensorInfo, dims

LONGEST_LINE = 1 << 16
MOST_DIMS = 32
LARGEST = 1 << 60
"""Values, empty dimensions counted as one; numpy refuses larger shapes even where they are empty."""
SHAPE = r"\[ ?((?:\d{1,18}(?: \d{1,18})*)?) ?\]"
SHAPES = re.compile(rf"tensor dim:(\d{{1,2}}),\s+Original shape:{SHAPE}(?:,\s+Alignment shape:{SHAPE})?\s*", re.ASCII)
SCORE = re.compile(r"(\d{1,18}) (-?(?:\d+\.\d+|inf|nan))\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Classification:
    """The best classes of one image, best first: ``scores[i]`` is that of class ``classes[i]``."""

    image: str
    classes: tuple[int, ...]
    scores: tuple[float, ...]


def name_result(model: str, image: str, category: str = "unknown") -> str:
    """Return the name of a result file without its ``.txt``: category, model and image, the latter without folders."""
    return f"{category}_{os.path.basename(model)}_{os.path.basename(image)}"


def make_folder(path: str) -> None:
    """Create the folder for results, with those above it, unless it is there; raises OutputError."""
    try:
        os.makedirs(path, exist_ok=True)
    except (OSError, ValueError) as reason:
        text = reason.strerror if isinstance(reason, OSError) else reason
        raise OutputError(f"cannot create the folder {path}: {text}", "choose another output folder") from None


def write_result(path: str, tensors: Iterable[Tensor], alignment: Sequence[tuple[int, ...]] | None = None) -> None:
    """Write outputs to ``path``, which appears when it is complete; raises OutputError.

    ``alignment`` gives the shape of the board's buffer of each output, which is then what is written; without it each
    has its own shape.
    """
    with replace_file(path) as file:
        for number, tensor in enumerate(tensors):
            values = _to_float(tensor, path)
            shape = f"Original shape:[{' '.join(map(str, values.shape))}]"
            if alignment is not None:
                aligned = alignment[number]
                shape += f",  Alignment shape:[{' '.join(map(str, aligned))}]\n"
                shape += "The following tensor data shape is alignment shape."
                if aligned != values.shape:
                    values = np.pad(values, [(0, new - old) for old, new in zip(values.shape, aligned, strict=True)])
            name = re.sub(r"[\r\n]", "_", tensor.info.name)
            head = f"{name} Tensor:\n{{\ntensor dim:{tensor.array.ndim},  {shape}\ntensor data:\n"
            file.write(head.encode("utf-8", "replace"))
            file.writelines(format_rows(values, "  "))
            file.write(b"\n}\n\n" if values.size % IN_ROW else b"}\n\n")


def write_classification(path: str, image: str, scores: np.ndarray, count: int = 5) -> None:
    """Write the ``count`` best of ``scores``, taken flat, to ``path``; of equal scores the lower class comes first."""
    flat = np.asarray(scores, np.float64).reshape(-1)
    best = np.argsort(-flat, kind="stable")[:count]
    with replace_file(path) as file:
        lines = [os.path.basename(image), *(f"{index} {flat[index]:f}" for index in best)]
        file.write("".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape"))


def read_result(path: str) -> list[Tensor] | Classification:
    """Return the outputs in a result file, float64 and without alignment padding, or the classes of a classification.

    Raises InputError for a file that is neither, or that ends too early.
    """
    lines = _read_lines(path)
    first = next(lines, (0, ""))[1]
    second = next(lines, (0, ""))[1]
    if first.endswith(" Tensor:") and second == "{":
        return list(_read_tensors(path, first, lines))
    if SCORE.fullmatch(second):
        return _read_classification(path, first, itertools.chain([(2, second)], lines))
    expected = "'<name> Tensor:' and '{', or an image's name and '<class> <score>'"
    raise InputError(
        f"{path}, line 1: expected {expected}, found {first[:60]!r}",
        "give a result file as run-onnx and the simulator write them",
    )


def _to_float(tensor: Tensor, path: str) -> np.ndarray:
    """Return a tensor's elements as something that ``%f`` takes; raises OutputError for strings and complex numbers."""
    values = tensor.array
    if values.dtype.kind in "biuf":
        return values
    if values.dtype.hasobject or values.dtype.kind in "SUc":
        message = f"{path}: output {tensor.info.name} holds {values.dtype}, expected real numbers"
        raise OutputError(message, "a result file holds real numbers only; end the model before that output")
    return values.astype(np.float64)  # bfloat16 and the other types that numpy itself does not know


def _read_lines(path: str) -> Iterator[tuple[int, str]]:
    """Yield line numbers and lines without their ends."""
    OpenFile(path, "the result file", InputError)
    with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE), ""), start=1):
            if len(line) == LONGEST_LINE:
                raise _fault(path, number, f"a line below {LONGEST_LINE} characters", f"{line[:60]!r}...")
            yield number, line.rstrip("\r\n")


def _read_tensors(path: str, first: str, lines: Iterator[tuple[int, str]]) -> Iterator[Tensor]:
    """Yield the outputs of a file whose first header and brace are read."""
    header = first
    while True:
        yield _read_tensor(path, header.removesuffix(" Tensor:"), lines)
        header = next((line for _, line in lines if line), "")
        if not header:
            return
        number, brace = next(lines, (0, "the end of the file"))
        if not header.endswith(" Tensor:") or brace != "{":
            raise _fault(path, number, "'<name> Tensor:' and '{'", f"{header!r} and {brace!r}")


def _read_tensor(path: str, name: str, lines: Iterator[tuple[int, str]]) -> Tensor:
    """Return one output; its header and brace are read."""
    number, line = next(lines, (0, ""))
    shapes = SHAPES.fullmatch(line)
    if not shapes:
        raise _fault(path, number, "tensor dim:<n>, Original shape:[...]", repr(line[:60]) if number else "nothing")
    shape = tuple(map(int, shapes[2].split()))
    stored = shape if shapes[3] is None else tuple(map(int, shapes[3].split()))
    fits = len(shape) == len(stored) <= MOST_DIMS and all(s >= o for s, o in zip(stored, shape, strict=True))
    if not fits or len(shape) != int(shapes[1]) or math.prod(dim or 1 for dim in stored) > LARGEST:
        raise _fault(path, number, f"shapes of {shapes[1]} dimensions, the aligned one not smaller", repr(line))
    number, line = next(lines, (0, ""))
    if line == "The following tensor data shape is alignment shape.":
        number, line = next(lines, (0, ""))
    if line != "tensor data:":
        raise _fault(path, number, "tensor data:", repr(line))
    values = array("d")
    line = ""
    for number, line in lines:
        if line == "}":
            break
        try:
            values.extend(map(float, line.split()))
        except ValueError:
            raise _fault(path, number, "numbers", repr(line[:60])) from None
    if line != "}":
        raise _fault(path, number, "a '}' after the values", "the end of the file")
    info = TensorInfo(name, stored, np.dtype(np.float64))
    if len(values) != info.size:
        raise _fault(path, number, f"{info.size} values for output {name} {dims(stored)}", str(len(values)))
    data = np.array(values, np.float64).reshape(stored)[tuple(slice(dim) for dim in shape)]
    return Tensor(TensorInfo(name, shape, data.dtype), data)


def _read_classification(path: str, image: str, lines: Iterable[tuple[int, str]]) -> Classification:
    """Return the classes of a classification file."""
    classes, scores = [], []
    for number, line in lines:
        parts = SCORE.fullmatch(line)
        if not parts:
            raise _fault(path, number, "'<class> <score>'", repr(line[:60]))
        classes.append(int(parts[1]))
        scores.append(float(parts[2]))
    return Classification(image, tuple(classes), tuple(scores))


def _fault(path: str, number: int, expected: str, found: str) -> InputError:
    """Return the error about one line of a result file."""
    hint = "the file is damaged or was cut short: make it again"
    place = f"line {number}" if number else "at its end"
    return InputError(f"{path}, {place}: expected {expected}, found {found}", hint)
