"""A model's file on the server, while it comes in and until it is loaded."""

from __future__ import annotations

import hashlib
import os
import tempfile

from ipudebug.board.limits import Budget
from ipudebug.board.onboard import open_onboard
from ipudebug.board.protocol import Refusal

_COPIED_AT_ONCE = 1 << 20


class Upload:
    """A file of the server's own, that no other user can open and that is gone when it is closed.

    Attributes:
        path: where it is.
        size: bytes that have come.
    """

    def __init__(self, storage: Budget) -> None:
        """Begin with no bytes; they are taken from ``storage``."""
        try:
            self._file = tempfile.NamedTemporaryFile(  # noqa: SIM115 - it lives as long as this object
                prefix="ipudebug-board-", suffix=".img", buffering=0
            )
        except OSError as reason:
            raise Refusal("busy", f"this server cannot keep the model: {reason.strerror}") from None
        self._storage = storage
        self._hash = hashlib.sha256()
        self.path = self._file.name
        self.size = 0

    @property
    def digest(self) -> str:
        """SHA-256 of what has come, in hexadecimal digits."""
        return self._hash.hexdigest()

    def add(self, piece: bytes) -> None:
        """Write the next piece; raises Refusal when storage is full."""
        self._storage.take(len(piece))
        self.size += len(piece)
        self.write(piece)

    def write(self, piece: bytes) -> None:
        """Write the next piece, whose size was counted before."""
        view = memoryview(piece)
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError as reason:
            raise Refusal("busy", f"this server cannot keep the model: {reason.strerror}") from None
        self._hash.update(piece)

    def reserve(self, size: int) -> None:
        """Count bytes that are going to be written; raises Refusal when storage is full."""
        self._storage.take(size)
        self.size += size

    def close(self) -> None:
        """Remove the file."""
        self._storage.give(self.size)
        self.size = 0
        self._file.close()


def measure_onboard(folder: str | None, path: str, largest: int) -> int:
    """Return the bytes of a file below the model folder; raises Refusal."""
    with open_onboard(folder, path) as source:
        size = os.fstat(source).st_size
    if size > largest:
        raise Refusal("too_large", f"{path}: {size:,} bytes, expected at most {largest:,}")
    return size


def copy_onboard(folder: str | None, path: str, upload: Upload) -> None:
    """Copy ``upload.size`` bytes of a file below the model folder: what is loaded then is what was checked."""
    left = upload.size
    with open_onboard(folder, path) as source:
        while left and (piece := os.read(source, min(left, _COPIED_AT_ONCE))):
            upload.write(piece)
            left -= len(piece)
