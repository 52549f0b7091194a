"""Tensor names -> file names that stay inside their folder and never collide."""

import hashlib
import unicodedata

FORBIDDEN = '/:*?<>|\\"'
"""Replaced by ``_``: the seven that the vendor's scripts replace, and the backslash and quote that they forget."""
LONGEST = 200
"""Bytes of a cleaned name; callers add a suffix."""
_LONGEST_FILE = 250
"""Bytes of a file name with its suffix; file systems stop at 255, and a file being written has ``.part`` behind it."""


def clean_name(name: str, longest: int = LONGEST) -> str:
    """Return ``name`` as one safe path component of at most ``longest`` bytes: never empty, ``.`` or ``..``.

    Control characters, and what no path can encode, become ``_``. A name that is too long keeps its beginning and ends
    in a hash of the whole.
    """
    cleaned = "".join("_" if char in FORBIDDEN or _is_unprintable(ord(char)) else char for char in name)
    if not cleaned.strip(". "):
        cleaned = "_" + cleaned.replace(".", "_")
    if len(cleaned.encode()) > longest:
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        cleaned = cleaned.encode()[: longest - 13].decode("utf-8", "ignore") + "-" + digest
    return cleaned


def _is_unprintable(code: int) -> bool:
    """Return whether a character is a control character, or half of a surrogate pair."""
    return code < 32 or 127 <= code < 160 or 0xD800 <= code < 0xE000


class FileNames:
    """Hands out a distinct file name for each tensor, in the order of asking."""

    def __init__(self) -> None:
        """Start with no name taken."""
        self._taken: set[str] = set()

    def claim(self, name: str, suffix: str = "") -> str:
        """Return the cleaned name and ``suffix``; a name that is taken gets ``_2``, ``_3`` ... before the suffix.

        Names that differ only in case, or in how an accent is encoded, count as equal: some file systems treat them so.
        ``suffix`` is taken as it is; it has at most 200 bytes.
        """
        stem = clean_name(name, min(LONGEST, _LONGEST_FILE - len("_1234567") - len(suffix.encode())))
        candidate, number = stem + suffix, 1
        while _fold(candidate) in self._taken:
            number += 1
            candidate = f"{stem}_{number}{suffix}"
        self._taken.add(_fold(candidate))
        return candidate


def _fold(name: str) -> str:
    """Return what two names share that a forgiving file system takes for one."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())
