"""The one noun: cheap facts about a tensor, and its elements, which may still be on disk."""

from __future__ import annotations

import enum
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ipudebug.errors import TruncatedDump
from ipudebug.files import OpenFile

Role = Literal["out", "in"]


class Layout(enum.Enum):
    """Order of the dimensions of a 4-D feature map."""

    NCHW = "NCHW"
    NHWC = "NHWC"


@dataclass(frozen=True, slots=True)
class QuantParams:
    """What integers stand for: ``real = (stored - zero_point) * scale``.

    Attributes:
        scale: float32 values, one per tensor or one per slice along ``axis``.
        zero_point: integers, as many as ``scale``.
        axis: the dimension that the values belong to; None when there is one value for the whole tensor.
    """

    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    axis: int | None = None


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """What is known of a tensor before any of its data is touched.

    Attributes:
        name: as the producer wrote it; any characters but a line break.
        shape: ``()`` for a scalar; a dump without shapes gives ``(n,)`` and ``layout`` None.
        dtype: of the stored elements.
        quant: None when the elements are the real values.
        layout: None when the source does not say.
        op_type: the producing operator's type (for ``in`` records the reading operator's).
        op_index: execution order of that operator.
        port: which output, or input, of the operator.
        role: ``out``, or ``in`` for a dump's copy of a producer's output as its consumer's input.
        constant: a weight, bias or parameter rather than an activation.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    quant: QuantParams | None = None
    layout: Layout | None = None
    op_type: str = ""
    op_index: int = 0
    port: int = 0
    role: Role = "out"
    constant: bool = False

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


class Tensor:
    """A tensor in memory: ``info`` and ``array``, whose shape is ``info.shape``.

    ``in_memory`` is False for a kind whose ``array`` has to be made, so that pieces of it come cheaper.
    """

    __slots__ = ("_array", "info")
    in_memory = True

    def __init__(self, info: TensorInfo, array: np.ndarray) -> None:
        """Hold an array; it is not copied."""
        self.info = info
        self._array = array

    @property
    def array(self) -> np.ndarray:
        """The elements, in ``info.shape`` and ``info.dtype``."""
        return self._array

    def copy_into(self, out: np.ndarray, start: int) -> None:
        """Copy ``out.size`` elements, counted flat from ``start``, into the 1-D array ``out``, casting to its dtype."""
        array = self.array
        flat = array.reshape(-1) if array.flags.c_contiguous else array.flat
        _cast(flat[start : start + out.size], out)

    def __repr__(self) -> str:
        """Return name, shape and dtype; no data is read."""
        return f"{type(self).__name__}({self.info.name!r}, shape={self.info.shape}, dtype={self.info.dtype})"


class FileTensor(Tensor):
    """A tensor whose elements lie dense in an open file.

    ``array`` maps them; ``copy_into`` reads only the elements asked for and leaves nothing mapped, so that a pass over
    a large dump needs no memory of its size.
    """

    __slots__ = ("_file", "_offset")
    in_memory = False

    def __init__(self, info: TensorInfo, file: OpenFile, offset: int) -> None:
        """Refer to ``info.size`` elements at byte ``offset`` of ``file``."""
        self.info = info
        self._file = file
        self._offset = offset

    @property
    def array(self) -> np.ndarray:
        """A read-only view of the mapped file, in ``info.shape``; raises TruncatedDump if the file was cut."""
        info = self.info
        if info.size == 0:
            return np.empty(info.shape, info.dtype)
        try:
            mapped = self._file.map(self._offset + info.size * info.dtype.itemsize)
        except EOFError as reason:
            raise self._cut(reason) from None
        view: np.ndarray = np.ndarray(info.shape, info.dtype, mapped, self._offset)
        return view

    def copy_into(self, out: np.ndarray, start: int) -> None:
        """Read ``out.size`` elements from ``start`` on; raises TruncatedDump if the file was cut meanwhile."""
        dtype = self.info.dtype
        target = out if out.dtype == dtype and out.flags.c_contiguous else np.empty(out.size, dtype)
        if target.size:
            try:
                self._file.read_into(target.data, self._offset + start * dtype.itemsize)
            except EOFError as reason:
                raise self._cut(reason) from None
        if target is not out:
            _cast(target, out)

    @staticmethod
    def read_together(tensors: Sequence[FileTensor], memory: np.ndarray) -> list[int] | None:
        """Read tensors that lie near each other in one file with a single call.

        Returns the byte of ``memory`` (uint8) that each begins at; None if what they span is too large, or is not in
        one file. Raises TruncatedDump if the file was cut meanwhile.
        """
        file, offsets = tensors[0]._file, [tensor._offset for tensor in tensors]
        begin = min(offsets)
        length = max(at + one.info.size * one.info.dtype.itemsize for at, one in zip(offsets, tensors, strict=True))
        length -= begin
        if length > len(memory) or any(tensor._file is not file for tensor in tensors):
            return None
        try:
            file.read_into(memory[:length].data, begin)
        except EOFError as reason:
            raise tensors[-1]._cut(reason) from None
        return [offset - begin for offset in offsets]

    def _cut(self, reason: EOFError) -> TruncatedDump:
        """Return the error for a file that was whole when it was opened."""
        return TruncatedDump(f"{reason}, at {self.info.name!r}", "let the dump be written to its end, then start again")


def gather(tensors: Sequence[Tensor], memory: np.ndarray, dtype: np.dtype) -> list[int]:
    """Bring all elements of several tensors, none of them empty, into ``memory`` (uint8) as ``dtype``.

    Returns the byte that each tensor begins at, at whatever address. There must be room for them one after another.
    """
    stored = [tensor for tensor in tensors if isinstance(tensor, FileTensor) and tensor.info.dtype == dtype]
    if len(stored) == len(tensors) and (together := FileTensor.read_together(stored, memory)) is not None:
        return together
    ends = list(itertools.accumulate(tensor.info.size * dtype.itemsize for tensor in tensors))
    starts = [0, *ends[:-1]]
    for tensor, start, end in zip(tensors, starts, ends, strict=True):
        tensor.copy_into(memory[start:end].view(dtype), 0)
    return starts


def _cast(source: np.ndarray, out: np.ndarray) -> None:
    """Copy elements into another dtype; what it cannot hold becomes an infinity (or, of integers, is undefined)."""
    if out.dtype.kind == "f" and out.dtype.itemsize >= source.dtype.itemsize:
        np.copyto(out, source, casting="unsafe")
        return
    with np.errstate(over="ignore", invalid="ignore"):
        np.copyto(out, source, casting="unsafe")


def to_nhwc(tensor: Tensor) -> Tensor:
    """Return a 4-D NCHW tensor as a view in NHWC order; anything else is returned as it is."""
    info = tensor.info
    if len(info.shape) != 4 or info.layout is not Layout.NCHW:
        return tensor
    n, c, h, w = info.shape
    return Tensor(replace(info, shape=(n, h, w, c), layout=Layout.NHWC), tensor.array.transpose(0, 2, 3, 1))


def dims(shape: Sequence[int]) -> str:
    """Return a shape as text for messages: ``[1, 32, 32, 8]``."""
    return "[" + ", ".join(map(str, shape)) + "]"
