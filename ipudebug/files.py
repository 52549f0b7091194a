"""Files that are read where they lie, and files that appear complete or not at all."""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import weakref
from collections.abc import Iterator
from typing import BinaryIO

from ipudebug.errors import IpuDebugError, OutputError


class OpenFile:
    """A regular file that is open for reading at any offset; it closes when the last reference to it goes.

    Reading goes through ``pread``: nothing is mapped, so a file that shrinks or a failing disk is an exception rather
    than a signal, and the resident memory stays flat whatever the file's size. ``map`` is for those who need a view.
    """

    __slots__ = ("_error", "_mapped", "_what", "fd", "path", "size")

    def __init__(self, path: str | os.PathLike[str], what: str, error: type[IpuDebugError]) -> None:
        """Open ``path``; ``what`` names its part in messages ("the sample"), ``error`` is what is raised."""
        self.fd = -1
        self.path = os.fspath(path)
        self._what = what
        self._error = error
        self._mapped: weakref.ReferenceType[mmap.mmap] | None = None
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
            raise error(f"{what}: cannot open {self.path}: {_reason(reason)}", "check the path") from None
        self.size = os.fstat(self.fd).st_size

    def read(self, count: int, offset: int) -> bytes:
        """Return up to ``count`` bytes from ``offset`` on; fewer only at the end of the file."""
        try:
            return os.pread(self.fd, count, offset)
        except OSError as reason:
            raise self._unreadable(reason) from None

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """Fill a non-empty ``buffer`` with the bytes from ``offset`` on; raises EOFError if the file ends before."""
        view = buffer.cast("B")
        while True:
            try:
                got = os.preadv(self.fd, [view], offset)
            except OSError as reason:
                raise self._unreadable(reason) from None
            if got == len(view):
                return
            if got == 0:
                raise EOFError(f"{self.path} became shorter while it was read")
            view = view[got:]
            offset += got

    def map(self, stop: int) -> mmap.mmap:
        """Return the whole file mapped read-only; raises EOFError if it ends before byte ``stop``.

        One mapping serves all who hold a view of it: each would cost a file descriptor, of which there are few.
        """
        if os.fstat(self.fd).st_size < stop:
            raise EOFError(f"{self.path} became shorter while it was read")
        mapped = self._mapped() if self._mapped is not None else None
        if mapped is None or len(mapped) < stop:
            try:
                mapped = mmap.mmap(self.fd, 0, access=mmap.ACCESS_READ)
            except OSError as reason:
                raise self._unreadable(reason) from None
            self._mapped = weakref.ref(mapped)
        return mapped

    def _unreadable(self, reason: OSError) -> IpuDebugError:
        """Return the error for a file that is open but does not give its bytes."""
        return self._error(f"{self._what}: cannot read {self.path}: {_reason(reason)}", "copy the file to another disk")

    def __del__(self) -> None:
        """Close the file."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


@contextlib.contextmanager
def replace_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file for writing that takes the place of ``path`` only when the block ends without an error.

    It is written beside its target as ``<name>.part`` and renamed; on any error, Ctrl-C included, it is removed and
    what was at ``path`` before is untouched. A link stays: what it points to is replaced. A device, a pipe and whatever
    is reached through ``/dev`` (``/dev/stdout``) cannot be replaced and is written straight. Raises OutputError where
    the disk is full or the folder cannot be written.
    """
    target = os.fspath(path)
    if os.path.isdir(target):
        raise OutputError(f"cannot write {target}: Is a directory", "give the name of a file in it")
    if os.path.islink(target) and not target.startswith("/dev/"):
        target = os.path.realpath(target)
    is_straight = target.startswith("/dev/") or (os.path.exists(target) and not os.path.isfile(target))
    part = target if is_straight else f"{target}.part"
    try:
        with open(part, "wb") as file:
            yield file
        if part != target:
            os.replace(part, target)
    except OSError as reason:
        _remove(part, target)
        if reason.errno == errno.ENOSPC:
            raise OutputError(f"no space left on the device while writing {target}", "free some space") from None
        if reason.filename in (part, target) or reason.errno in (errno.EDQUOT, errno.EFBIG, errno.EIO):
            raise OutputError(f"cannot write {target}: {reason.strerror}", "choose another output folder") from None
        raise
    except BaseException:
        _remove(part, target)
        raise


def _remove(part: str, target: str) -> None:
    """Remove the unfinished file if it is there; a device that is the target itself stays."""
    if part != target:
        with contextlib.suppress(OSError):
            os.unlink(part)


def _reason(error: Exception) -> str:
    """Return what the system says, without the number and the path that it adds, and Python without the function."""
    return getattr(error, "strerror", None) or str(error).removeprefix("open: ")
