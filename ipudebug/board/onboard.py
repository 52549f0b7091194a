"""Models that lie on the board: a path of a client's -> a file below the model folder, and nowhere else."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator

from ipudebug.board.protocol import Refusal

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_STEP = _DIRECTORY | os.O_NOFOLLOW
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


@contextlib.contextmanager
def open_onboard(folder: str | None, path: str) -> Iterator[int]:
    """Open the regular file at ``path`` below ``folder``, and give its descriptor.

    Each part of the path is opened in the one before, and none may be ``..`` or a link: so there is no moment at which
    another file could take the place of what was checked. An absolute path may name the folder itself at its start.
    Raises Refusal.
    """
    if folder is None:
        raise Refusal("no_model", f"{path}: this server has no model folder: upload the model, or start it with one")
    parts = _split(folder, path)
    with contextlib.ExitStack() as opened:
        try:
            parent = os.open(folder, _DIRECTORY)
            opened.callback(os.close, parent)
            for part in parts[:-1]:
                parent = os.open(part, _STEP, dir_fd=parent)
                opened.callback(os.close, parent)
            file = os.open(parts[-1], _FILE, dir_fd=parent)
            opened.callback(os.close, file)
        except OSError as reason:
            is_link = reason.errno in (errno.ELOOP, errno.EMLINK, errno.ENOTDIR)
            why = "no file there, or a link" if is_link else reason.strerror
            raise Refusal("no_model", f"{path}: {why}") from None
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise Refusal("no_model", f"{path}: no regular file")
        yield file


def _split(folder: str, path: str) -> list[str]:
    """Return the names that lead from the folder to the file; raises Refusal for what could lead elsewhere."""
    prefix = folder.rstrip("/") + "/"
    inner = path[len(prefix) :].lstrip("/") if path.startswith(prefix) else path
    parts = [part for part in inner.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or "\0" in inner or inner.startswith("/"):
        raise Refusal("no_model", f"{path}: expected a path below the model folder of the server")
    return parts
