"""What a kernel reads off its node: attributes of known types, inputs of known number; else a ModelError."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ipudebug.errors import ModelError

HINT = "the model was not written by this version of ipudebug: make it again with `ipudebug calibrate`"
RANGES = {"uint8": (0, 255), "int16": (-32768, 32767)}
ACTIVATIONS = (np.dtype(np.uint8), np.dtype(np.int16))


class Node:
    """The attributes of one node of the domain ``ipudebug``.

    Args:
        op: the operator's name, for messages.
        attributes: as the model has them.
    """

    __slots__ = ("attributes", "op")

    def __init__(self, op: str, attributes: Mapping[str, Any]) -> None:
        """Keep both."""
        self.op = op
        self.attributes = attributes

    def fail(self, fault: str) -> ModelError:
        """Return the error that says that this node cannot be computed."""
        return ModelError(f"{self.op}: {fault}", HINT)

    def arrays(self, inputs: Sequence[np.ndarray], least: int, most: int | None = None) -> list[np.ndarray]:
        """Return the inputs; raises ModelError if there are too few or too many, or one has no elements."""
        if not least <= len(inputs) <= (most or least):
            wanted = f"{least}" if most in (None, least) else f"{least} to {most}"
            raise self.fail(f"expected {wanted} inputs, found {len(inputs)}")
        for index, array in enumerate(inputs):
            if array.size == 0:
                raise self.fail(f"input {index} has no elements: shape {list(array.shape)}")
        return list(inputs)

    def activations(self, inputs: Sequence[np.ndarray]) -> None:
        """Raise ModelError if one of the arrays is neither uint8 nor int16."""
        for index, array in enumerate(inputs):
            if array.dtype not in ACTIVATIONS:
                raise self.fail(f"input {index} is {array.dtype}, expected uint8 or int16")

    def integer(self, name: str, default: int | None = None) -> int:
        """Return an integer attribute; raises ModelError if it is missing without a default, or something else."""
        value = self._get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            raise self.fail(f"attribute {name} is {value!r}, expected an integer")
        return int(value)

    def scale(self, name: str) -> float:
        """Return a finite positive number; raises ModelError."""
        value = self._get(name, None)
        if not isinstance(value, int | float | np.floating) or not 0 < value < float("inf"):
            raise self.fail(f"attribute {name} is {value!r}, expected a positive number")
        return float(value)

    def axis(self, name: str, rank: int) -> int:
        """Return one axis of a tensor of that rank, 0 or higher; raises ModelError."""
        self.integer(name)
        return self.axes(name, rank)[0]

    def axes(self, name: str, rank: int, default: Sequence[int] | None = None) -> list[int]:
        """Return different axes of a tensor of that rank, 0 or higher; a single one may be a plain integer.

        Negative axes count from the last one. Raises ModelError.
        """
        value = self.attributes.get(name)
        given = [self.integer(name)] if isinstance(value, int | np.integer) else self.integers(name, default=default)
        axes = [axis + rank if axis < 0 else axis for axis in given]
        if not all(0 <= axis < rank for axis in axes) or len(set(axes)) < len(axes):
            raise self.fail(f"attribute {name} is {given}, expected different axes of {rank} dimensions")
        return axes

    def integers(
        self, name: str, lengths: int | Sequence[int] | None = None, default: Sequence[int] | None = None
    ) -> list[int]:
        """Return a list of integers; raises ModelError if it is missing, or of a length that is not allowed."""
        value = self._get(name, default)
        if not isinstance(value, Sequence | np.ndarray) or not all(isinstance(x, int | np.integer) for x in value):
            raise self.fail(f"attribute {name} is {value!r}, expected a list of integers")
        allowed = (lengths,) if isinstance(lengths, int) else lengths
        if allowed is not None and len(value) not in allowed:
            wanted = " or ".join(map(str, allowed))
            raise self.fail(f"attribute {name} has {len(value)} values, expected {wanted}: {list(value)}")
        return [int(x) for x in value]

    def multipliers(self, name: str, lengths: int | Sequence[int]) -> list[int]:
        """Return integers of 16 bits; raises ModelError."""
        values = self.integers(name, lengths)
        if not all(-32768 <= value <= 32767 for value in values):
            raise self.fail(f"attribute {name} is {values}, expected 16-bit integers")
        return values

    def zeros(self, arrays: Sequence[np.ndarray]) -> list[int]:
        """Return the zero points of the arrays, which their elements can hold; raises ModelError."""
        values = self.integers("zeros", len(arrays))
        for value, array in zip(values, arrays, strict=True):
            self._check_zero(value, array, "zeros")
        return values

    def zero_of(self, array: np.ndarray, name: str) -> int:
        """Return an integer attribute that an element of ``array`` can hold, a zero point; raises ModelError."""
        value = self.integer(name)
        self._check_zero(value, array, name)
        return value

    def text(self, name: str, allowed: Sequence[str]) -> str:
        """Return a string attribute that is one of ``allowed``; raises ModelError."""
        value = self._get(name, None)
        word = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        if word not in allowed:
            raise self.fail(f"attribute {name} is {word!r}, expected {' or '.join(allowed)}")
        return str(word)

    @property
    def dtype(self) -> np.dtype:
        """The output's dtype, uint8 or int16."""
        return np.dtype(self.text("dtype", tuple(RANGES)))

    @property
    def clip_range(self) -> tuple[int, int]:
        """``low`` and ``high``; without them the range of the output's dtype, which they may not exceed."""
        least, most = RANGES[self.text("dtype", tuple(RANGES))]
        low, high = self.integer("low", least), self.integer("high", most)
        if not least <= low <= high <= most:
            raise self.fail(f"the range low..high is {low}..{high}, expected within {least}..{most}")
        return low, high

    @property
    def is_channels_last(self) -> bool:
        """Whether ``layout`` is NHWC rather than NCHW."""
        return self.text("layout", ("NCHW", "NHWC")) == "NHWC"

    def _check_zero(self, value: int, array: np.ndarray, name: str) -> None:
        """Raise ModelError if an element of ``array`` cannot hold ``value``."""
        info = np.iinfo(array.dtype)
        if not info.min <= value <= info.max:
            raise self.fail(f"attribute {name} has {value}, expected {info.min}..{info.max} of {array.dtype}")

    def _get(self, name: str, default: Any) -> Any:
        """Return an attribute's value or its default; raises ModelError if it has neither."""
        value = self.attributes.get(name, default)
        if value is None:
            raise self.fail(f"attribute {name} is missing")
        return value


def find_reach(array: np.ndarray, zero: int = 0) -> int:
    """Return the largest absolute value that an element of this dtype can have once ``zero`` is subtracted."""
    info = np.iinfo(array.dtype)
    return max(int(info.max) - zero, zero - int(info.min))


def align_channels(constant: np.ndarray, x: np.ndarray, node: Node) -> np.ndarray:
    """Return a constant in a shape that broadcasts to ``x``: a 1-D one belongs to the channels.

    The channels are axis 1 (NCHW) or the last one (NHWC). Raises ModelError if the constant does not fit.
    """
    if constant.ndim == 1 and constant.size > 1 and x.ndim > 1:
        axis = x.ndim - 1 if node.is_channels_last else 1
        constant = constant.reshape([-1 if index == axis else 1 for index in range(x.ndim)])
    try:
        fits = np.broadcast_shapes(constant.shape, x.shape) == x.shape
    except ValueError:
        fits = False
    if not fits:
        raise node.fail(f"the constant has shape {list(constant.shape)}, which does not fit {list(x.shape)}")
    return constant
