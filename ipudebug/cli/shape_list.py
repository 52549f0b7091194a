"""The ``shape.txt`` beside a Caffe dump: name, tab and shape of each tensor that the dump holds."""

from __future__ import annotations

import os

from ipudebug.files import replace_file


def write_shape_list(dump: str) -> None:
    """Write ``shape.txt`` beside a dump, in the order of its records; raises DumpError, OutputError."""
    from ipudebug.dumps import open_dump
    from ipudebug.tensor import dims

    infos = open_dump(dump).infos
    with replace_file(os.path.join(os.path.dirname(dump), "shape.txt")) as file:
        for info in infos:
            file.write(f"{info.name}\t{dims(info.shape)}\n".encode("utf-8", "surrogateescape"))
