"""The ``shape.txt`` beside a Caffe dump: name, tab and shape of each tensor that the dump holds."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ipudebug.files import replace_file

if TYPE_CHECKING:
    from ipudebug.tensor import TensorInfo


def write_shape_list(folder: str, infos: Iterable[TensorInfo]) -> None:
    """Write ``shape.txt`` into the folder of a dump, in the order of its records; raises OutputError."""
    from ipudebug.tensor import dims

    with replace_file(os.path.join(folder, "shape.txt")) as file:
        for info in infos:
            file.write(f"{info.name}\t{dims(info.shape)}\n".encode("utf-8", "surrogateescape"))
