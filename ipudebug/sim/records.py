"""The records of a simulator's dump: which, in which order, under which headers, and with whose data (SPEC 6.1, 6.6).

Every operation shows its inputs, constants among them, then its outputs; a tensor therefore stands in a dump once as
``out`` and once as ``in`` for every reader.
"""

from __future__ import annotations

import collections
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ipudebug.dumps.header import FLOAT, TYPE_NAMES, Header
from ipudebug.errors import ModelError
from ipudebug.sim.model import Operation, SimModel
from ipudebug.sim.real_tensor import RealTensor, to_real
from ipudebug.tensor import QuantParams, Role, Tensor, TensorInfo, dims

if TYPE_CHECKING:
    from ipudebug.runners import Feed

_FOUR_CHANNELS = ("RGBA", "BGRA")
_IMAGES = ("RGB", "BGR", *_FOUR_CHANNELS)


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a dump: a tensor as ``port`` of an operation, going in or coming out.

    Attributes:
        name: what the dump calls it.
        source: the tensor whose facts and data it has: another one where an image was converted for the first layer.
    """

    operation: Operation
    role: Role
    port: int
    name: str
    source: str


def list_records(model: SimModel) -> list[Record]:
    """Return the records of a model's dump in their order."""
    records = []
    for operation in model.operations:
        sources = [model.converted.get(name, name) for name in operation.inputs]
        shown = zip(operation.inputs, sources, strict=True)
        records += [Record(operation, "in", port, name, source) for port, (name, source) in enumerate(shown)]
        records += [Record(operation, "out", port, name, name) for port, name in enumerate(operation.outputs)]
    return records


def list_headers(model: SimModel, *, dequantise: bool) -> list[Header]:
    """Return the header of each record as the vendor writes it, for ``dumps.writer.write_blocks``.

    The type is the tensor's own even where the payload is float32; ``s:`` and ``z:`` are those of its first channel.
    """
    headers = []
    for record in list_records(model):
        tensor = model.tensors[record.source]
        is_float = dequantise or not model.stage.is_integer
        scale, zero = model.scales.get(record.source) or _show_scale(tensor.quant)
        type_name = TYPE_NAMES.get(tensor.dtype.newbyteorder("<"), "unknown")
        info = _describe(model, record, FLOAT if is_float else tensor.dtype)
        if dequantise and _find_format(model, record.source) in _FOUR_CHANNELS:
            info = replace(info, shape=(*info.shape[:3], 4))
        headers.append(Header(info, scale, zero, type_name, None))
    return headers


def _show_scale(quant: QuantParams | None) -> tuple[str, str]:
    """Return the texts behind ``s:`` and ``z:``."""
    if quant is None or not quant.scale:
        return "0.000000", "0"
    return f"{quant.scale[0]:f}", str(quant.zero_point[0])


def _describe(model: SimModel, record: Record, dtype: np.dtype) -> TensorInfo:
    """Return a record's facts; ``quant`` is None where its elements are the real values."""
    tensor = model.tensors[record.source]
    operation = record.operation
    return replace(
        tensor,
        name=record.name,
        dtype=dtype,
        quant=None if dtype.kind == "f" else tensor.quant,
        op_type=operation.in_type if record.role == "in" else operation.out_type,
        op_index=operation.index,
        port=record.port,
        role=record.role,
    )


def iterate_records(
    model: SimModel, outputs: Iterable[Tensor], *, feed: Feed, dequantise: bool = False
) -> Iterator[Tensor]:
    """Yield the records of a dump while the model runs; a tensor is held until its last record, and no longer.

    Args:
        model: what is dumped.
        outputs: a trace of ``model.graph``: tensors in execution order, 4-D ones NHWC; others than those of a dump are
            passed over.
        feed: what the graph is fed with; 4-D arrays NCHW.
        dequantise: fixed models: activations as float32((q - zero point) * scale), constants as their integers in
            float32. A float model is float32 either way.

    Raises ModelError if the trace ends before every tensor has come, or gives one of another size.
    """
    records = list_records(model)
    left = collections.Counter(record.source for record in records)
    held: dict[str, np.ndarray] = {name: _order_image(array) for name, array in feed.items() if left[name]}
    trace = iter(outputs)
    for record in records:
        # No name is bound to an array here: it would live on while the reader looks at the record.
        yield _make_record(model, record, _take(model, record.source, held, left, trace, dequantise), dequantise)
    collections.deque(trace, maxlen=0)  # what is not dumped may still fail


def _order_image(array: np.ndarray) -> np.ndarray:
    """Return a 4-D array of a feed in NHWC order."""
    return array.transpose(0, 2, 3, 1) if array.ndim == 4 else array


def _take(
    model: SimModel,
    name: str,
    held: dict[str, np.ndarray],
    left: collections.Counter[str],
    trace: Iterator[Tensor],
    dequantise: bool,
) -> np.ndarray:
    """Return a tensor's array, drawing from the trace until it has come; it is let go if this was its last record.

    The first of several records makes its integers the real numbers of them all.
    """
    if model.tensors[name].constant:
        return model.constants[name]
    while name not in held:
        tensor = next(trace, None)
        if tensor is None:
            raise ModelError(f"{name!r} was not computed, but the dump shows it", "convert the model again")
        if left[tensor.info.name] > 0:
            held[tensor.info.name] = tensor.array
    left[name] -= 1
    if left[name] == 0:
        return held.pop(name)
    if dequantise and held[name].dtype != FLOAT and not _find_format(model, name):
        held[name] = to_real(held[name], model.tensors[name].quant)
    return held[name]


def _make_record(model: SimModel, record: Record, array: np.ndarray, dequantise: bool) -> Tensor:
    """Return one record with its data."""
    tensor = model.tensors[record.source]
    is_real = dequantise or not model.stage.is_integer
    info = _describe(model, record, FLOAT if is_real else tensor.dtype)
    if _find_format(model, record.source):
        array, info = _dump_image(array, info, dequantise)
    if array.size != info.size:
        raise ModelError(
            f"{info.name!r}: expected {dims(info.shape)}, found {dims(array.shape)}",
            "feed the model with images of its own size and format",
        )
    array = np.ascontiguousarray(array).reshape(info.shape)
    if is_real and array.dtype != FLOAT:
        return RealTensor(Tensor(info, array), None if info.constant else tensor.quant)
    return Tensor(info, array.astype(info.dtype, copy=False))


def _find_format(model: SimModel, name: str) -> str:
    """Return the format of a vendor's 8-bit image input; "" for any other tensor."""
    if model.kind != "vendor" or model.tensors[name].dtype != np.uint8:
        return ""
    formats = (entry.input_format for entry in model.inputs if entry.name == name)
    return next((found for found in formats if found in _IMAGES), "")


def _dump_image(array: np.ndarray, info: TensorInfo, dequantise: bool) -> tuple[np.ndarray, TensorInfo]:
    """Return an image input as the vendor dumps it: from a buffer of four bytes per pixel (SPEC 6.6).

    Raw, the buffer is cut to three bytes per pixel: all of an RGB image, but only the first three quarters of an RGBA
    one. Dequantised it is whole: behind the packed pixels of an RGB image stand zeros.
    """
    pixels = np.ascontiguousarray(array).reshape(-1)
    if not dequantise:
        return pixels[: info.size], info
    size = info.size // 3 * 4
    if pixels.size == size:
        return array, replace(info, shape=array.shape)
    buffer = np.zeros(size, array.dtype)
    buffer[: pixels.size] = pixels[:size]
    return buffer, replace(info, shape=(size,), layout=None)
