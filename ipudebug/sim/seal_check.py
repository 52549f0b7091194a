"""What the header of a sealed model must say, derived from the model in it; and the error for each field that differs.

The messages are the vendor's (SPEC 13, rows 87 to 103, 109, 110, 120, 121); fields that the vendor has no message for
are told in the same way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ipudebug.errors import ModelError, UnsupportedOp
from ipudebug.sim.alignment import BYTES, align_shape
from ipudebug.sim.feeding import InputPort, list_ports
from ipudebug.sim.seal_header import (
    BATCH_MODES,
    ELEMENTS,
    FORMATS,
    INPUT,
    MOST_DIMS,
    OUTPUT,
    VERSION,
    Port,
    SealHeader,
    measure_header,
)
from ipudebug.tensor import QuantParams, TensorInfo, dims

if TYPE_CHECKING:
    from ipudebug.sim.model import SimModel

AGAIN = "compile the fixed model again with the chip in use; do not edit or mix files"

_PORT_FIELDS = {
    "name": "Name",
    "dims": "dim",
    "shape": "Shape",
    "element": "Element format",
    "scale": "Scalar",
    "zero_point": "ZPoint",
    "ext_flag": "ExtFlag",
    "width_alignment": "Width alignment",
    "height_alignment": "Height alignment",
    "buffer_size": "Aligned Buffer Size",
}
"""The fields of a Port -> the vendor's words for them, in the order in which they are checked."""
_HEADER_FIELDS = {
    "batch_mode": "Batch mode check failed",
    "batches": "Batch mode check failed",
    "header_size": "Header Size check failed",
    "buffer_size": "BufferSize Check Failed!",
    "buffer_size1": "BufferSize1 Check Failed!",
    "chip": "Chip check failed",
}


class DamagedSeal(ModelError, AssertionError):
    """A sealed model contradicts itself."""


def fault(where: str, path: str, found: str) -> DamagedSeal:
    """Return the error for one check, in the vendor's words."""
    return DamagedSeal(f"Assert!!! Errors happened in {where}. The sealed file {path}: {found}", AGAIN)


def describe_seal(
    model: SimModel, chip: str, batch_mode: int, batches: Sequence[int], size: int, digest: bytes
) -> SealHeader:
    """Return the header that belongs to a model of ``size`` bytes; raises UnsupportedOp for what no header can say.

    Args:
        model: what is sealed.
        chip: what it is compiled for.
        batch_mode: number in BATCH_MODES.
        batches: images that the board runs at once.
        size: bytes of the model.
        digest: their SHA-256.
    """
    inputs = tuple(_describe_input(port) for port in list_ports(model))
    outputs = tuple(_describe_output(model.tensors[value.name]) for value in model.graph.graph.output)
    ports = (*inputs, *outputs)
    buffers = sum(port.buffer_size for port in ports) * max(batches)
    header_size = measure_header([port.name for port in ports])
    return SealHeader(VERSION, header_size, size, buffers, batch_mode, tuple(batches), chip, digest, inputs, outputs)


def check_header(found: SealHeader, expected: SealHeader, path: str) -> None:
    """Raise DamagedSeal for the first field of a header that is not what the model in the file makes it."""
    for field, words in _HEADER_FIELDS.items():
        wanted, stated = getattr(expected, field), getattr(found, field)
        if wanted != stated:
            raise fault(f"Image Header {words}", path, f"expected {_show(field, wanted)}, found {_show(field, stated)}")
    for kind, wanted_ports, stated_ports in (
        ("Input", expected.inputs, found.inputs),
        ("output", expected.outputs, found.outputs),
    ):
        for place, (wanted_port, stated_port) in enumerate(zip(wanted_ports, stated_ports, strict=True)):
            _check_port(f"Image Header {kind} {place}", stated_port, wanted_port, path)


def check_concatenations(model: SimModel, path: str) -> None:
    """Raise DamagedSeal for a concatenation whose output is not what its inputs make, whatever the axis."""
    for operation in model.operations:
        if operation.in_type != "CONCATENATION":
            continue
        output = model.tensors[operation.outputs[0]].shape
        inputs = [_shape_as_joined(model.tensors[name]) for name in operation.inputs]
        if any(_joins(inputs, output, axis) for axis in range(len(output))):
            continue
        made = ", ".join(map(dims, inputs))
        found = f"{operation.outputs[0]}: expected what {made} make, found {dims(output)}"
        raise fault("Concat output shape is invalid!", path, found)


def _shape_as_joined(info: TensorInfo) -> tuple[int, ...]:
    """Return the shape in the layout of activations: a constant of four dimensions is stored as NCHW."""
    first, *others = info.shape or (1,)
    is_stored = info.constant and len(info.shape) == 4
    return (first, *others[1:], others[0]) if is_stored else info.shape


def _joins(inputs: Sequence[tuple[int, ...]], output: tuple[int, ...], axis: int) -> bool:
    """Return whether these shapes, joined on ``axis``, make ``output``."""
    others = {shape[:axis] + shape[axis + 1 :] for shape in (*inputs, output) if len(shape) == len(output)}
    same_rank = all(len(shape) == len(output) for shape in inputs)
    return same_rank and len(others) == 1 and sum(shape[axis] for shape in inputs) == output[axis]


def _check_port(where: str, found: Port, expected: Port, path: str) -> None:
    """Raise DamagedSeal for the first field of an entry that differs."""
    for field, words in _PORT_FIELDS.items():
        wanted, stated = getattr(expected, field), getattr(found, field)
        if wanted != stated:
            shown = f"{expected.name}: expected {_show(field, wanted)}, found {_show(field, stated)}"
            raise fault(f"{where} {words} check failed", path, shown)


def _show(field: str, value: object) -> str:
    """Return a field's value as text, with what its number stands for."""
    tables = {"element": ELEMENTS, "batch_mode": BATCH_MODES}
    if field in tables and isinstance(value, int):
        table = tables[field]
        return f"{value} ({table[value] if 0 <= value < len(table) else 'unknown'})"
    if field == "ext_flag" and isinstance(value, int):
        form = FORMATS[value >> 8] if 0 <= value >> 8 < len(FORMATS) else "unknown"
        return f"{value:#x}" + (f" ({form})" if form else "")
    if field in ("shape", "batches") and isinstance(value, tuple):
        return dims(value)
    return repr(value) if isinstance(value, str) else f"{value}"


def _describe_input(port: InputPort) -> Port:
    """Return the entry of an input."""
    board, info = port.board, port.buffer_info
    form = board.input_format if board.input_format in FORMATS and (port.is_image or port.is_raw) else ""
    empty = np.zeros(info.shape, info.dtype)
    return _describe(
        info,
        INPUT | FORMATS.index(form) << 8,
        board.width_alignment,
        board.height_alignment,
        port.pack_buffer(empty).nbytes,
    )


def _describe_output(info: TensorInfo) -> Port:
    """Return the entry of an output."""
    size = math.prod(align_shape(info.shape, info.dtype)) * info.dtype.itemsize
    return _describe(info, OUTPUT, BYTES, 1, size)


def _describe(info: TensorInfo, flag: int, width: int, height: int, size: int) -> Port:
    """Return an entry; raises UnsupportedOp for a shape or a type that it cannot hold."""
    if len(info.shape) > MOST_DIMS or any(size < 0 for size in info.shape) or info.dtype.name not in ELEMENTS:
        expected = f"at most {MOST_DIMS} fixed dimensions of {', '.join(ELEMENTS)}"
        raise UnsupportedOp(f"{info.name}: expected {expected}, found {info.dtype} {dims(info.shape)}")
    quant = info.quant or QuantParams((0.0,), (0,))
    shape = (*info.shape, *(0,) * (MOST_DIMS - len(info.shape)))
    element = ELEMENTS.index(info.dtype.name)
    scale = float(np.float32(quant.scale[0]))
    return Port(info.name, len(info.shape), shape, element, scale, quant.zero_point[0], flag, width, height, size)
