"""What is called on a board, with which arguments, and what is answered (docs/board-protocol.md)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ipudebug.board.wire import hash_name

OLDEST, NEWEST = 1, 1
"""The versions of the payloads that are spoken here."""

HELLO = "ipu_hello"
UPLOAD = "ipu_upload_model"
CREATE = "ipu_create_model"
SET_INPUT = "ipu_set_input"
INVOKE = "ipu_invoke"
GET_OUTPUT = "ipu_get_output"
DESTROY = "ipu_destory_model"
"""Spelled as the vendor spells it."""

ARGUMENTS: dict[str, tuple[type, ...]] = {
    HELLO: (int, int, str),
    UPLOAD: (int, int, bytes),
    CREATE: (str, str),
    SET_INPUT: (int, int, int, bytes),
    INVOKE: (int,),
    GET_OUTPUT: (int, int, int, int),
    DESTROY: (int,),
}
"""Call -> the types of its arguments; integers are not negative."""
CALLS = {hash_name(name): name for name in ARGUMENTS}

OK, FAILED = 0, 1
"""The first element of an answer."""

WRONG_CHIP_TEXT = "MI_IPU_CreateCHNWithUserMem failed: 54"
CODES = {
    "bad_request": "a frame or an argument that the protocol does not have",
    "denied": "no greeting yet, or the wrong token",
    "version": "no version that both sides speak",
    "busy": "a limit on clients, models or memory is reached",
    "too_large": "data beyond a limit, or beyond the buffer they are for",
    "no_model": "no model of that number, or no file of that name",
    "bad_model": "the file is no model that can run",
    "wrong_model": "the file is not the one whose SHA-256 was given",
    "wrong_chip": "the model was compiled for another chip",
    "timeout": "the model did not load or run in time, and was destroyed",
    "failed": "the model failed while it ran, and was destroyed",
}
"""What the text of a failure begins with, before ``: ``."""
_LARGEST_NUMBER = 1 << 53


class Refusal(Exception):
    """A call that fails: ``code`` is a key of CODES, ``text`` is for people."""

    def __init__(self, code: str, text: str) -> None:
        """Keep the two parts; ``str()`` is what goes over the wire."""
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class PortFacts:
    """What a board says of one input or output of a model.

    Attributes:
        name: of the tensor.
        dtype: name of the elements' type, as numpy spells it.
        shape: without alignment; 4-D ones NHWC, an input as its buffer has it.
        size: bytes of the buffer, alignment included.
        scale, zero_point: real = (stored - zero_point) * scale; 0.0 and 0 where the elements are the values.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    size: int
    scale: float = 0.0
    zero_point: int = 0

    def to_wire(self) -> list[Any]:
        """Return the facts as the array that an answer has."""
        return [self.name, self.dtype, list(self.shape), self.size, self.scale, self.zero_point]


def read_port(value: Any) -> PortFacts:
    """Return the facts in an array; raises ValueError for anything else."""
    types = (str, str, list, int, float, int)
    fits = isinstance(value, list) and len(value) == len(types)
    if not fits or not all(type(item) is kind for item, kind in zip(value, types, strict=True)):
        raise ValueError(f"expected [name, dtype, shape, size, scale, zero point], found {_show(value)}")
    name, dtype, shape, size, scale, zero_point = value
    if not all(_is_count(dim) for dim in (*shape, size)) or not math.isfinite(scale):
        raise ValueError(f"expected sizes and a finite scale, found {_show(value)}")
    return PortFacts(name, dtype, tuple(shape), size, scale, zero_point)


def check_arguments(name: str, values: Sequence[Any]) -> None:
    """Raise Refusal unless a call has its arguments: as many, of the right types, no negative numbers."""
    types = ARGUMENTS[name]
    fits = len(values) == len(types) and all(
        _is_count(value) if kind is int else type(value) is kind for value, kind in zip(values, types, strict=True)
    )
    if not fits:
        wanted = ", ".join(_WORDS[kind] for kind in types)
        raise Refusal("bad_request", f"{name}: expected [{wanted}], found {_show(list(values))}")


_WORDS: dict[type, str] = {int: "number", str: "text", bytes: "bytes"}


def choose_version(oldest: int, newest: int) -> int:
    """Return the newest version that both sides speak; raises Refusal."""
    version = min(newest, NEWEST)
    if version < max(oldest, OLDEST):
        raise Refusal("version", f"expected one of the versions {OLDEST} to {NEWEST}, found {oldest} to {newest}")
    return version


def split_failure(text: str) -> tuple[str, str]:
    """Return code and words of a failure's text; the code is ``""`` where it begins with none."""
    code, colon, words = text.partition(": ")
    return (code, words) if colon and code in CODES else ("", text)


def _is_count(value: Any) -> bool:
    """Return whether a value is an integer from 0 on, of a size that every language holds."""
    return type(value) is int and 0 <= value < _LARGEST_NUMBER


def _show(value: Any) -> str:
    """Return the beginning of a value as text; bytes are counted, not shown."""
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, list):
        more = ", ..." if len(value) > 8 else ""
        return f"[{', '.join(_show(item) if not isinstance(item, list) else '[...]' for item in value[:8])}{more}]"
    return repr(value)[:60]
