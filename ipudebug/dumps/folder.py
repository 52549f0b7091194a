r"""The framework scripts' text dump: one file of all tensors, and a file a tensor in the folders NHWC and NCHW.

::

    <framework>_NHWC_outtensor_dump.txt   "isFloat: 1\n", then of each tensor: headers, size line, "\n", values, "\n}\n"
    NHWC/<name>#<shape>                   the same without the first line; <shape> as a Python tuple in that layout
    NCHW/<name>#<shape>                   the same in the other layout; tensors that are not 4-D are equal in both

The model's inputs have files in the two folders only, with ``input[<i>] <name> = {`` for a second line.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import replace
from typing import BinaryIO

from ipudebug.dumps.header import FLOAT, header_of
from ipudebug.dumps.text import write_values
from ipudebug.errors import OutputError
from ipudebug.filenames import FileNames
from ipudebug.files import replace_file
from ipudebug.tensor import Layout, Tensor, TensorInfo

_TO_NHWC = (0, 2, 3, 1)
_TO_NCHW = (0, 3, 1, 2)


def write_folder(folder: str, framework: str, inputs: Iterable[Tensor], tensors: Iterable[Tensor]) -> list[TensorInfo]:
    """Write a text dump into an existing folder, drawing each tensor only when the one before is on disk.

    The text file and the two folders take the places of earlier ones only when all is written. Values are float32
    with six decimals, whatever the tensor's dtype.

    Args:
        folder: where to.
        framework: first part of the file's name, such as ``onnx``.
        inputs: what the model was fed with, in its own layout.
        tensors: the operators' outputs in execution order; 4-D ones in NHWC.

    Returns what was written, without the inputs. Raises OutputError.
    """
    parts = {layout: os.path.join(folder, f"{layout.value}.part") for layout in Layout}
    try:
        for part in parts.values():
            shutil.rmtree(part, ignore_errors=True)
            os.makedirs(part)
        names = {layout: FileNames() for layout in Layout}

        def write_pair(tensor: Tensor, number: int | None) -> None:
            for layout, part in parts.items():
                turned = _turn(tensor, layout)
                name = names[layout].claim(turned.info.name, f"#{turned.info.shape}")
                with open(os.path.join(part, name), "wb") as file:
                    _write_record(file, turned, number)

        written = []
        with replace_file(os.path.join(folder, f"{framework}_NHWC_outtensor_dump.txt")) as file:
            for number, tensor in enumerate(inputs):
                write_pair(tensor, number)
            file.write(b"isFloat: 1\n")
            for tensor in tensors:
                _write_record(file, tensor, None)
                write_pair(tensor, None)
                written.append(tensor.info)
        for layout, part in parts.items():
            shutil.rmtree(os.path.join(folder, layout.value), ignore_errors=True)
            os.replace(part, os.path.join(folder, layout.value))
    except OSError as reason:
        raise OutputError(
            f"cannot write the text dump in {folder}: {reason.strerror}", "check space and rights"
        ) from None
    finally:
        for part in parts.values():
            shutil.rmtree(part, ignore_errors=True)
    return written


def _turn(tensor: Tensor, layout: Layout) -> Tensor:
    """Return a 4-D tensor in another layout, as a view; one without a layout, or not 4-D, as it is."""
    info = tensor.info
    if len(info.shape) != 4 or info.layout in (None, layout):
        return tensor
    array = tensor.array.transpose(_TO_NHWC if layout is Layout.NHWC else _TO_NCHW)
    return Tensor(replace(info, shape=array.shape, layout=layout), array)


def _write_record(file: BinaryIO, tensor: Tensor, input_number: int | None) -> None:
    """Write one tensor; ``input_number`` is that of a model input, None for an operator's output."""
    header = header_of(tensor.info, is_float=True).lines(with_shape=True)
    if input_number is not None:
        first = header.split(b"\n", 1)[0]
        header = first + f"\ninput[{input_number}] {tensor.info.name} = {{\n".encode("utf-8", "surrogateescape")
    file.write(header + b"//buffer data size: %d\n\n" % (tensor.info.size * FLOAT.itemsize))
    write_values(file, tensor.array.astype(FLOAT, copy=False), break_last_row=False)
    file.write(b"\n}\n")
