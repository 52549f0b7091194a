"""What an earlier run left is kept: it is moved aside under a dated name, and comes back if nothing takes its place."""

from __future__ import annotations

import os
from types import TracebackType

from ipudebug.cli.notes import show_note
from ipudebug.errors import OutputError
from ipudebug.manifest import name_manifest


class Backups:
    """What was moved aside to make room for a run, a dump's manifest with it.

    As a context manager it puts everything back where it was unless ``settle`` was called: a run that fails before it
    has a result costs nothing of the one before.
    """

    def __init__(self, stamp: str, *, overwrite: bool) -> None:
        """Move nothing; ``stamp`` becomes part of the names, ``overwrite`` says that nothing is kept in the end."""
        self._stamp = stamp
        self._overwrite = overwrite
        self._moved: list[tuple[str, str]] = []

    def __enter__(self) -> Backups:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put back what was not settled."""
        while self._moved:
            path, kept = self._moved.pop()
            if not _put_back(path, kept):
                show_note(f"{path} of an earlier run was moved to {kept}")

    def make_room(self, path: str) -> None:
        """Leave nothing at ``path``; raises OutputError."""
        if not os.path.lexists(path):
            return
        kept = name_backup(path, self._stamp)
        try:
            os.rename(path, kept)
            self._moved.append((path, kept))
            if os.path.isfile(name_manifest(path)):
                os.rename(name_manifest(path), name_manifest(kept))
        except OSError as reason:
            hint = "check the folder's permissions"
            raise OutputError(f"cannot make room for {path}: {reason.strerror}", hint) from None

    def settle(self) -> None:
        """Tell the user what was moved or, where it is to be overwritten, remove it; raises OutputError."""
        while self._moved:
            path, kept = self._moved.pop(0)
            if self._overwrite:
                _remove(kept)
            else:
                show_note(f"{path} of an earlier run was moved to {kept}")


def name_backup(path: str, stamp: str) -> str:
    """Return a name beside ``path`` that nothing has, with its suffix: ``dump_backup_at_2024-01-31_12-00-00.bin``."""
    stem, suffix = os.path.splitext(path)
    name, number = f"{stem}_backup_at_{stamp}{suffix}", 1
    while os.path.lexists(name):
        number += 1
        name = f"{stem}_backup_at_{stamp}_{number}{suffix}"
    return name


def _put_back(path: str, kept: str) -> bool:
    """Return whether what is at ``kept`` could take its old place, where at most an empty folder may be."""
    try:
        if os.path.isdir(path):
            os.rmdir(path)
        if os.path.lexists(path):
            return False
        os.rename(kept, path)
        if os.path.isfile(name_manifest(kept)):
            os.rename(name_manifest(kept), name_manifest(path))
    except OSError:
        return False
    return True


def _remove(path: str) -> None:
    """Delete a file or folder, and a dump's manifest; raises OutputError."""
    try:
        if os.path.isdir(path) and not os.path.islink(path):
            import shutil

            shutil.rmtree(path)
        else:
            os.unlink(path)
        if os.path.isfile(name_manifest(path)):
            os.unlink(name_manifest(path))
    except OSError as reason:
        raise OutputError(f"cannot remove {path}: {reason.strerror}", "check the folder's permissions") from None
