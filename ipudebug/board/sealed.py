"""A sealed model that is fed with the bytes of the board's input buffers and gives those of its output buffers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ipudebug.board.protocol import PortFacts
from ipudebug.errors import ModelError
from ipudebug.sim.alignment import align_shape
from ipudebug.sim.executor import FixedRunner
from ipudebug.sim.feeding import InputPort, list_ports, read_buffers
from ipudebug.sim.model import SimModel, Stage

if TYPE_CHECKING:
    from ipudebug.tensor import QuantParams, TensorInfo


class SealedModel:
    """An offline model that is ready to run, any number of times.

    Attributes:
        chip: what it was compiled for.
        inputs, outputs: facts of its buffers, in its order.
    """

    def __init__(self, model: SimModel) -> None:
        """Plan the run; raises ModelError for a model that is not sealed, UnsupportedOp for one that cannot run."""
        if model.stage is not Stage.OFFLINE or model.kind != "ipudebug":
            message = f"Only support Sigmastar Offline model. {model.path}: expected an offline model of ipudebug's"
            raise ModelError(f"{message}, found a {model.stage.value} one", "seal the fixed model: ipudebug compile")
        self.chip = model.chip
        self._runner = FixedRunner(model)
        ports = list_ports(model)
        self._ports = ports
        self._buffers = [_Buffer(port) for port in ports]
        self._infos = [model.tensors[name] for name in self._runner.outputs]
        self.inputs = tuple(
            _describe(port.buffer_info, buffer.size) for port, buffer in zip(ports, self._buffers, strict=True)
        )
        self.outputs = tuple(_describe(info, _measure(info)) for info in self._infos)

    def run(self, buffers: Sequence[bytes | bytearray | memoryview]) -> list[bytes]:
        """Return the bytes of the output buffers: rows of the innermost dimension filled up to 16 bytes with zeros.

        Raises ValueError for a buffer of another size than ``inputs`` says, ModelError for a node that fails.
        """
        arrays = {
            port.graph.name: buffer.read(data)
            for port, buffer, data in zip(self._ports, self._buffers, buffers, strict=True)
        }
        tensors = self._runner.run(read_buffers(self._ports, arrays))
        return [_align(tensor.array) for tensor in tensors]


class _Buffer:
    """How one input lies in its buffer."""

    def __init__(self, port: InputPort) -> None:
        """Find out where the elements are, by packing a buffer that holds their numbers."""
        info = port.buffer_info
        self._info = info
        self._places: np.ndarray | None = None
        self.size = port.pack_buffer(np.zeros(info.shape, info.dtype)).nbytes
        if self.size != info.size * info.dtype.itemsize:  # only images, whose elements are bytes, are filled up
            numbers = np.arange(1, info.size + 1, dtype=np.int64).reshape(info.shape)
            self._places = port.pack_buffer(numbers).view(np.int64) > 0

    def read(self, data: bytes | bytearray | memoryview) -> np.ndarray:
        """Return the array in the bytes of a buffer, without its alignment; raises ValueError for another size."""
        info = self._info
        if len(data) != self.size:
            raise ValueError(f"input {info.name}: expected {self.size} bytes, found {len(data)}")
        dense = np.frombuffer(data, np.uint8)
        if self._places is not None:
            dense = dense[self._places]
        return dense.view(info.dtype).reshape(info.shape)


def _describe(info: TensorInfo, size: int) -> PortFacts:
    """Return the facts of a buffer."""
    scale, zero_point = read_quant(info.quant)
    return PortFacts(info.name, info.dtype.name, info.shape, size, scale, zero_point)


def read_quant(quant: QuantParams | None) -> tuple[float, int]:
    """Return scale (as float32 has it) and zero point of a tensor; 0.0 and 0 where the elements are the values."""
    return (float(np.float32(quant.scale[0])), quant.zero_point[0]) if quant else (0.0, 0)


def _measure(info: TensorInfo) -> int:
    """Return the bytes of an output's buffer."""
    return math.prod(align_shape(info.shape, info.dtype)) * info.dtype.itemsize


def _align(array: np.ndarray) -> bytes:
    """Return the bytes of an output's buffer."""
    aligned = align_shape(array.shape, array.dtype)
    padded = np.pad(array, [(0, new - old) for old, new in zip(array.shape, aligned, strict=True)])
    return padded.tobytes()
