"""Tensor names -> file names that stay inside their folder and never collide."""

import hashlib

FORBIDDEN = '/:*?<>|\\"'
"""Replaced by ``_``: the seven that the vendor's scripts replace, and the backslash and quote that they forget."""
LONGEST = 200
"""Bytes of a cleaned name; file systems stop at 255, and callers add a suffix."""


def clean_name(name: str) -> str:
    """Return ``name`` as one safe path component of at most LONGEST bytes: never empty, ``.`` or ``..``.

    Control characters become ``_``. A name that is too long keeps its beginning and ends in a hash of the whole.
    """
    cleaned = "".join("_" if char in FORBIDDEN or ord(char) < 32 or ord(char) == 127 else char for char in name)
    cleaned = cleaned.encode("utf-8", "replace").decode("utf-8")  # a lone surrogate cannot be encoded in a path
    if not cleaned.strip(". "):
        cleaned = "_" + cleaned.replace(".", "_")
    if len(cleaned.encode()) > LONGEST:
        digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:12]
        cleaned = cleaned.encode()[: LONGEST - 13].decode("utf-8", "ignore") + "-" + digest
    return cleaned


class FileNames:
    """Hands out a distinct file name for each tensor, in the order of asking."""

    def __init__(self) -> None:
        """Start with no name taken."""
        self._taken: set[str] = set()

    def claim(self, name: str, suffix: str = "") -> str:
        """Return the cleaned name and ``suffix``; a name that is taken gets ``_2``, ``_3`` ... before the suffix.

        Names that differ only in case count as equal, as some file systems treat them so.
        """
        stem = clean_name(name)
        candidate, number = stem + suffix, 1
        while candidate.casefold() in self._taken:
            number += 1
            candidate = f"{stem}_{number}{suffix}"
        self._taken.add(candidate.casefold())
        return candidate
