"""Files that are read where they lie, and files that appear complete or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from typing import BinaryIO

from ipudebug.errors import IpuDebugError, OutputError


class OpenFile:
    """A regular file that is open for reading at any offset; it closes when the last reference to it goes.

    Reading goes through ``pread``: nothing is mapped, so a file that shrinks or a failing disk is an exception rather
    than a signal, and the resident memory stays flat whatever the file's size.
    """

    __slots__ = ("fd", "path", "size")

    def __init__(self, path: str | os.PathLike[str], what: str, error: type[IpuDebugError]) -> None:
        """Open ``path``; ``what`` names its part in messages ("the sample"), ``error`` is what is raised."""
        self.fd = -1
        self.path = os.fspath(path)
        try:
            if os.path.isdir(self.path):
                raise error(f"{what}: {self.path} is a directory, expected a file", "give the file, not its folder")
            if not os.path.isfile(self.path) and os.path.exists(self.path):
                raise error(f"{what}: {self.path} is no regular file", "save it to a file first")
            self.fd = os.open(self.path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        except FileNotFoundError:
            raise error(f"{what}: no such file: {self.path}", "check the path and the working directory") from None
        except PermissionError:
            raise error(f"{what}: no permission to read {self.path}", "check the file's permissions") from None
        except (OSError, ValueError) as reason:
            raise error(f"{what}: cannot open {self.path}: {reason}") from None
        self.size = os.fstat(self.fd).st_size

    def read(self, count: int, offset: int) -> bytes:
        """Return up to ``count`` bytes from ``offset`` on; fewer only at the end of the file."""
        return os.pread(self.fd, count, offset)

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """Fill a non-empty ``buffer`` with the bytes from ``offset`` on; raises EOFError if the file ends before."""
        view = buffer.cast("B")
        while len(view):
            got = os.preadv(self.fd, [view], offset)
            if got == 0:
                raise EOFError(f"{self.path} became shorter while it was read")
            view = view[got:]
            offset += got

    def __del__(self) -> None:
        """Close the file."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


@contextlib.contextmanager
def replace_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file for writing that takes the place of ``path`` only when the block ends without an error.

    It is written beside its target as ``<name>.part`` and renamed; on any error, Ctrl-C included, it is removed and
    what was at ``path`` before is untouched. Raises OutputError where the disk is full or the folder cannot be written.
    """
    target = os.fspath(path)
    part = f"{target}.part"
    try:
        with open(part, "wb") as file:
            yield file
        os.replace(part, target)
    except OSError as reason:
        _remove(part)
        if reason.errno == errno.ENOSPC:
            raise OutputError(f"no space left on the device while writing {target}", "free some space") from None
        if reason.filename in (part, target) or reason.errno in (errno.EDQUOT, errno.EFBIG, errno.EIO):
            raise OutputError(f"cannot write {target}: {reason.strerror}", "choose another output folder") from None
        raise
    except BaseException:
        _remove(part)
        raise


def _remove(path: str) -> None:
    """Remove a file if it is there."""
    with contextlib.suppress(OSError):
        os.unlink(path)
