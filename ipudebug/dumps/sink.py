"""A file that a thread of its own writes, so that whatever makes the tensors goes on meanwhile.

A model runs outside Python's lock, and so does a write: on two cores a dump then costs little more than the slower of
the two. What waits to be written is bounded, so that a slow disk slows the model down instead of filling the memory.
"""

from __future__ import annotations

import collections
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import BinaryIO

import numpy as np

from ipudebug.tensor import Tensor

WAITING = 32 << 20
"""Bytes of tensors that may wait to be written; a larger one waits alone."""
_PIECE = 1 << 17  # elements converted at a time: half a MB, so that the copy stays in the cache

_Item = bytes | tuple[Tensor, np.dtype]


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

    def put(self, text: bytes) -> None:
        """Append bytes."""
        self._append(text, 0)

    def put_tensor(self, tensor: Tensor, dtype: np.dtype) -> None:
        """Append a tensor's elements in ``dtype``."""
        self._append((tensor, dtype), _count_bytes(tensor, dtype))

    def _append(self, item: _Item, size: int) -> None:
        """Append an item as soon as there is room for it; raises what the thread ran into."""
        with self._changed:
            while self._error is None and self._waiting and self._waiting + size > WAITING:
                self._changed.wait()
            if self._error is not None:
                raise self._error
            self._waiting += size
            self._items.append(item)
            self._changed.notify_all()

    def _write_all(self) -> None:
        """Write what comes until the block ends; an error is kept for the other thread."""
        try:
            while (item := self._take()) is not None:
                if isinstance(item, bytes):
                    self._file.write(item)
                    continue
                self._file.writelines(payload_pieces(*item))
                size = _count_bytes(*item)
                del item
                self._release(size)
        except BaseException as error:
            with self._changed:
                self._error = error
                self._items.clear()
                self._changed.notify_all()

    def _take(self) -> _Item | None:
        """Return the next item, waiting for it; None at the end."""
        with self._changed:
            while not self._items and not self._is_closed:
                self._changed.wait()
            return self._items.popleft() if self._items else None

    def _release(self, size: int) -> None:
        """Make room for what waits behind a tensor that is written."""
        with self._changed:
            self._waiting -= size
            self._changed.notify_all()


def _count_bytes(tensor: Tensor, dtype: np.dtype) -> int:
    """Return the size of a tensor in a file."""
    return tensor.info.size * dtype.itemsize


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
