"""The -i argument -> samples: an image, a folder, a list of images, a folder and a list."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ipudebug.errors import InputError
from ipudebug.files import OpenFile

Sample = tuple[str, ...]
"""The paths that make one run of a model: one for each of its inputs."""

SUFFIXES = frozenset(
    "bmp dib jpeg jpg jpe jp2 png pbm pgm ppm pxm pnm sr ras tiff tif hdr pic raw npy bin mp4".split()  # noqa: SIM905
)
"""What an input file may end in, in lower case, as SigmaStar's tools know it; any other file is read as a list."""
LONGEST_LINE = 1 << 16
"""Bytes of one line of a list."""


class NoSuchImage(InputError, FileNotFoundError):
    """There is nothing at a path that was given or listed."""


class NoImages(InputError, FileNotFoundError):
    """A folder or a list without a single image."""


class WrongImageCount(InputError, ValueError):
    """A sample has not as many images as there are preprocess files."""


class NotAList(InputError, UnicodeDecodeError):
    """A file that is no image by its suffix, and no text either."""

    def __init__(self, path: str, cause: UnicodeDecodeError, offset: int) -> None:
        """Take the codec's fault, moved to its place in the whole file."""
        UnicodeDecodeError.__init__(self, cause.encoding, cause.object, cause.start, cause.end, cause.reason)
        byte = cause.object[cause.start]
        reason = f"can't decode byte 0x{byte:02x} in position {offset + cause.start}: {cause.reason}"
        self.message = f"'{cause.encoding}' codec {reason}; {path} was taken for a list of images, which is UTF-8 text"
        self.hint = "an image must have one of the suffixes " + " ".join(sorted(SUFFIXES))


def find_samples(argument: str, inputs: int) -> list[Sample]:
    """Return the samples that ``argument`` stands for, each with ``inputs`` paths.

    Args:
        argument: an image; a folder, searched recursively, in sorted order; a text file with one sample per line and
            ``,`` between the images of a sample; ``FOLDER:LIST``, whose entries lie in the folder.
        inputs: how many images a sample needs: as many as there are preprocess files.

    A relative entry of a list starts at the working directory, as in SigmaStar's tools; where nothing is there, beside
    the list. Raises NoSuchImage, NoImages, WrongImageCount, NotAList or InputError.
    """
    folder, list_path = "", argument
    if ":" in argument and not os.path.exists(argument):
        folder, list_path = argument.split(":", 1)[0], argument.rsplit(":", 1)[1]
        _require(folder, argument)
        _require(list_path, argument)
    else:
        _require(argument, "")
        if os.path.isdir(argument):
            _check_count(1, inputs, argument)
            return [(path,) for path in _walk(argument)]
        if _has_image_suffix(argument):
            _check_count(1, inputs, argument)
            return [(argument,)]
    samples = []
    for number, entries in _read_list(list_path):
        place = f"{list_path}, line {number}"
        _check_count(len(entries), inputs, place)
        samples.append(tuple(_resolve(entry, folder, list_path, place) for entry in entries))
    if not samples:
        raise NoImages(f"No images found in {list_path}: the list has no line with a path", "write one sample per line")
    return samples


def _has_image_suffix(path: str) -> bool:
    """Return whether a file is an image, or other input data, by its last suffix."""
    return os.path.splitext(path)[1][1:].lower() in SUFFIXES


def _require(path: str, argument: str) -> None:
    """Raise NoSuchImage unless there is something at ``path``, a part of ``argument``."""
    if not os.path.exists(path):
        part = f" (a part of {argument}, read as FOLDER:LIST)" if argument else ""
        raise NoSuchImage(f"No such {path} image or directory.{part}", "check the path and the working directory")


def _check_count(found: int, expected: int, place: str) -> None:
    """Raise WrongImageCount unless a sample has as many images as there are preprocess files."""
    if found != expected:
        raise WrongImageCount(
            f"Got different num of preprocess_methods and images! {place}: expected {expected}, one per preprocess "
            f"file, found {found}",
            "a model with several inputs needs a list file, with ',' between the images of a line",
        )


def _walk(folder: str) -> list[str]:
    """Return every image below ``folder``, sorted; raises NoImages, or InputError for a folder that cannot be read."""

    def refuse(reason: OSError) -> None:
        raise InputError(f"cannot read the folder {reason.filename}: {reason.strerror}", "check its permissions")

    found = [
        os.path.join(parent, name)
        for parent, _, names in os.walk(folder, onerror=refuse)
        for name in names
        if _has_image_suffix(name)
    ]
    if not found:
        hint = "known suffixes: " + " ".join(sorted(SUFFIXES))
        raise NoImages(f"No images found in {folder}: no file in it has the suffix of an image", hint)
    return sorted(found)


def _read_list(path: str) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and entries of every line that is not blank; raises NotAList or InputError."""
    OpenFile(path, "image list", InputError)
    offset = 0
    with open(path, "rb") as file:
        for number, raw in enumerate(iter(lambda: file.readline(LONGEST_LINE), b""), start=1):
            try:
                if b"\0" in raw:
                    place = raw.index(b"\0")
                    raise UnicodeDecodeError("utf-8", raw, place, place + 1, "a text holds no NUL byte")
                line = raw.decode("utf-8").lstrip("\ufeff" if offset == 0 else "").strip()
            except UnicodeDecodeError as cause:
                raise NotAList(path, cause, offset) from None
            if len(raw) == LONGEST_LINE:
                raise InputError(f"{path}, line {number}: longer than {LONGEST_LINE} bytes", "is it a list of images?")
            offset += len(raw)
            if line:
                yield number, [entry.strip() for entry in line.split(",")]


def _resolve(entry: str, folder: str, list_path: str, place: str) -> str:
    """Return the path of a list's entry; raises NoSuchImage."""
    beside = os.path.join(os.path.dirname(list_path), entry)
    candidates = [os.path.join(folder, entry)] if folder else [entry, beside]
    for candidate in candidates:
        if entry and os.path.isfile(candidate):
            return candidate
    looked = " nor ".join(dict.fromkeys(candidates))
    raise NoSuchImage(
        f"No such {entry} image or directory. {place}: expected a file, found none at {looked}",
        "a relative entry starts at the working directory or beside the list; FOLDER:LIST names another folder",
    )
