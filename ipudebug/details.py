"""The numbered folders of per-layer values: what the vendor's report leaves beside its rows.

``DIR/<index>/sample.txt`` and ``benchmark.txt``: line 1 the tensor's name, then its values as ``%.6f`` followed by two
blanks, 16 a line, or one a line.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import BinaryIO

import numpy as np

from ipudebug.comparison import LayerResult
from ipudebug.errors import OutputError
from ipudebug.reports.cells import show_name
from ipudebug.tensor import Tensor

_CHUNK = 1 << 14


class DetailFolder:
    """A folder that appears, complete, when the block ends without an error; on any error nothing of it stays.

    Args:
        path: the folder. What is there already is kept: it is renamed to ``<path>_backup_at_<stamp>``.
        stamp: date and time for that name.
        one_per_line: write one value a line instead of 16.
        keep: files that must stay where they are (the inputs, the report).
    """

    def __init__(self, path: str, stamp: str, *, one_per_line: bool = False, keep: Sequence[str] = ()) -> None:
        self.path = path.rstrip("/") or path
        self.kept: str | None = None
        self._part = f"{self.path}.part"
        self._stamp = stamp
        self._keep = keep
        self._per_line = 1 if one_per_line else 16

    def __enter__(self) -> DetailFolder:
        """Make the folder under its temporary name; raises OutputError."""
        if os.path.basename(self.path) in ("", ".", ".."):
            raise OutputError(f"cannot write the details to {self.path!r}", "name a folder of its own")
        folder = os.path.realpath(self.path)
        for other in self._keep:
            if os.path.commonpath((folder, os.path.realpath(other))) == folder:
                raise OutputError(f"{self.path} would be moved, and {other} with it", "name another folder")
        try:
            shutil.rmtree(self._part, ignore_errors=True)
            os.makedirs(self._part)
        except OSError as reason:
            raise OutputError(f"cannot make the folder {self.path}: {reason.strerror}") from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        """Give the folder its name, or remove it."""
        if kind is not None:
            shutil.rmtree(self._part, ignore_errors=True)
            return
        if os.path.lexists(self.path):
            self.kept = f"{self.path}_backup_at_{self._stamp}"
            number = 1
            while os.path.lexists(self.kept):
                number += 1
                self.kept = f"{self.path}_backup_at_{self._stamp}_{number}"
            os.rename(self.path, self.kept)
        os.rename(self._part, self.path)

    def watch(self, rows: Iterable[LayerResult]) -> Iterator[LayerResult]:
        """Yield the rows, writing each one's values as it passes."""
        for row in rows:
            if row.compared:
                self.write(row)
            yield row

    def write(self, row: LayerResult) -> None:
        """Write the values of one row."""
        folder = os.path.join(self._part, str(row.index))
        try:
            os.makedirs(folder)
            for name, tensor in (("sample.txt", row.sample), ("benchmark.txt", row.benchmark)):
                with open(os.path.join(folder, name), "wb") as file:
                    self._write_values(file, tensor)
        except OSError as reason:
            raise OutputError(f"cannot write the details of {row.name}: {reason.strerror}") from None

    def _write_values(self, file: BinaryIO, tensor: Tensor) -> None:
        """Write one tensor: its name, then its values."""
        file.write(show_name(tensor.info.name).encode("utf-8", "surrogateescape") + b"\n")
        size = tensor.info.size
        scratch = np.empty(min(size, _CHUNK))
        for start in range(0, size, _CHUNK):
            chunk = scratch[: min(_CHUNK, size - start)]
            tensor.copy_into(chunk, start)
            values = chunk.tolist()
            full, rest = divmod(len(values), self._per_line)
            text = ("%.6f  " * self._per_line + "\n") * full + ("%.6f  " * rest + "\n" if rest else "")
            file.write((text % tuple(values)).encode())
