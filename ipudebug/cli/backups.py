"""What an earlier run left is kept: it is moved aside under a dated name."""

from __future__ import annotations

import os

from ipudebug.cli.notes import show_note
from ipudebug.errors import OutputError
from ipudebug.manifest import name_manifest


def make_room(path: str, stamp: str, *, overwrite: bool) -> None:
    """Leave nothing at ``path``: what is there is removed or, unless ``overwrite``, moved aside, and the user told.

    A dump's manifest goes with it. Raises OutputError.
    """
    if not os.path.lexists(path):
        return
    try:
        if not overwrite:
            kept = name_backup(path, stamp)
            os.rename(path, kept)
            show_note(f"{path} of an earlier run was moved to {kept}")
            if os.path.isfile(name_manifest(path)):
                os.rename(name_manifest(path), name_manifest(kept))
        elif os.path.isdir(path) and not os.path.islink(path):
            import shutil

            shutil.rmtree(path)
        else:
            os.unlink(path)
    except OSError as reason:
        raise OutputError(f"cannot make room for {path}: {reason.strerror}", "check the folder's permissions") from None


def name_backup(path: str, stamp: str) -> str:
    """Return a name beside ``path`` that nothing has, with its suffix: ``dump_backup_at_2024-01-31_12-00-00.bin``."""
    stem, suffix = os.path.splitext(path)
    name, number = f"{stem}_backup_at_{stamp}{suffix}", 1
    while os.path.lexists(name):
        number += 1
        name = f"{stem}_backup_at_{stamp}_{number}{suffix}"
    return name
