"""Labels and classification results -> how many images are right."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ipudebug.errors import InputError
from ipudebug.files import OpenFile, replace_file
from ipudebug.results import Classification, read_result

LARGEST = 1 << 26
"""Bytes of a file that is still taken for labels."""
RANKS = (1, 5)


def load_labels(path: str, images: Sequence[str]) -> list[int]:
    """Return the label of each image; the file has a line ``<image> <class>`` for each.

    An image is found by its path or, failing that, by its name. Raises InputError for a line that is none, and for an
    image without a label.
    """
    file = OpenFile(path, "labels", InputError)
    if file.size > LARGEST:
        raise InputError(f"labels: {path} is larger than {LARGEST} bytes", "is it the right file?")
    labels: dict[str, int] = {}
    for number, line in enumerate(file.read(LARGEST, 0).decode("utf-8-sig", "surrogateescape").splitlines(), start=1):
        name, _, label = line.strip().rpartition(" ")
        if not line.strip():
            continue
        if not name or not label.isascii() or not label.isdigit():
            expected = "'<image> <class>' with the class's number from 0"
            raise InputError(f"{path}, line {number}: expected {expected}, found {line.strip()[:60]!r}")
        labels[name.strip()] = int(label)
    found = []
    for image in images:
        name = image if image in labels else os.path.basename(image)
        if name not in labels:
            raise InputError(f"{path}: expected a label for {image}, found none", f"add the line: {name} <class>")
        found.append(labels[name])
    return found


def measure_accuracy(paths: Sequence[str], labels: Sequence[int]) -> dict[int, float]:
    """Return for each rank of RANKS how many of a hundred results have their label among so many best classes.

    Raises InputError for a file that is no classification.
    """
    hits = dict.fromkeys(RANKS, 0)
    for path, label in zip(paths, labels, strict=True):
        result = read_result(path)
        if not isinstance(result, Classification):
            raise InputError(f"{path}: expected a classification, found output tensors", "run it again without it")
        for rank in RANKS:
            hits[rank] += label in result.classes[:rank]
    return {rank: 100 * count / len(paths) for rank, count in hits.items()}


def write_accuracy(path: str, count: int, accuracy: dict[int, float]) -> None:
    """Write the accuracy over ``count`` images as the vendor's log does."""
    lines = [f"{count} images", *(f"top{rank}: {share:.2f}%" for rank, share in accuracy.items())]
    with replace_file(path) as file:
        file.write(("\n\n" + "\n\n".join(lines) + "\n\n").encode())
