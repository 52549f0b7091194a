"""A file that a thread of its own writes, so that whatever makes the tensors goes on meanwhile.

A model runs outside Python's lock, and so does a write: on two cores a dump then costs little more than the slower of
the two. What waits to be written is bounded, so that a slow disk slows the model down instead of filling the memory.
"""

from __future__ import annotations

import collections
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import BinaryIO, NamedTuple

import numpy as np

from ipudebug.dumps.header import FLOAT
from ipudebug.tensor import Tensor

WAITING = 32 << 20
"""Bytes of tensors that may wait to be written; a larger one waits alone."""
_PIECE = 1 << 17  # elements converted at a time: half a MB, so that the copy stays in the cache


class _Item(NamedTuple):
    """A text, and the tensor behind it in the dtype that it is written in, of ``size`` bytes."""

    text: bytes
    tensor: Tensor | None
    dtype: np.dtype
    size: int


class Sink:
    """A binary file, open for writing, that takes texts and tensors in order; a context manager.

    The block ends when all is written; where it ends with an error, what still waits is dropped. An error of the file
    is raised by the next ``put``, or at the end. An array that was put must not change before it is written.
    """

    def __init__(self, file: BinaryIO) -> None:
        """Take a file; nothing else may write to it until the block ends."""
        self._file = file
        self._items: collections.deque[_Item] = collections.deque()
        self._waiting = 0
        self._is_closed = False
        self._error: BaseException | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._write_all, name="dump", daemon=True)

    def __enter__(self) -> Sink:
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for the thread; raises what it ran into."""
        with self._changed:
            self._is_closed = True
            if kind is not None:
                self._items.clear()
            self._changed.notify_all()
        self._thread.join()
        if kind is None and self._error is not None:
            raise self._error

    def put(self, text: bytes, tensor: Tensor | None = None, dtype: np.dtype = FLOAT) -> None:
        """Append a text and, behind it, a tensor's elements in ``dtype``; as soon as there is room for them.

        Raises what the thread ran into.
        """
        size = 0 if tensor is None else tensor.info.size * dtype.itemsize
        with self._changed:
            while self._error is None and self._waiting and self._waiting + size > WAITING:
                self._changed.wait()
            if self._error is not None:
                raise self._error
            self._waiting += size
            self._items.append(_Item(text, tensor, dtype, size))
            self._changed.notify_all()

    def _write_all(self) -> None:
        """Write what comes until the block ends; an error is kept for the other thread."""
        try:
            size = 0
            while (item := self._take(size)) is not None:
                size = item.size
                self._file.write(item.text)
                if item.tensor is not None:
                    self._file.writelines(payload_pieces(item.tensor, item.dtype))
                del item  # and the tensor with it, before the next one is waited for
        except BaseException as error:
            with self._changed:
                self._error = error
                self._items.clear()
                self._changed.notify_all()

    def _take(self, written: int) -> _Item | None:
        """Make room for what waits behind the bytes written, and return the next item; None at the end."""
        with self._changed:
            if written:
                self._waiting -= written
                self._changed.notify_all()
            while not self._items and not self._is_closed:
                self._changed.wait()
            return self._items.popleft() if self._items else None


def payload_pieces(tensor: Tensor, dtype: np.dtype) -> Iterator[memoryview]:
    """Yield the elements in ``dtype`` as consecutive pieces of bytes; a dense array of that dtype is not copied."""
    size = tensor.info.size
    if size == 0:
        return
    if tensor.in_memory and tensor.array.dtype == dtype and tensor.array.flags.c_contiguous:
        yield tensor.array.reshape(-1).view(np.uint8).data
        return
    scratch = np.empty(min(size, _PIECE), dtype)
    for start in range(0, size, _PIECE):
        piece = scratch[: min(_PIECE, size - start)]
        tensor.copy_into(piece, start)
        yield piece.view(np.uint8).data
