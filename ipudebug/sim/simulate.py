"""Runs a float, fixed or offline model on what a preprocess returns: final outputs, or the records of a dump."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ipudebug.errors import ModelError
from ipudebug.runners.onnx import OnnxRunner
from ipudebug.sim.alignment import align_shape
from ipudebug.sim.feeding import InputPort, fill_buffers, list_ports, read_buffers
from ipudebug.sim.model import SimModel, Stage
from ipudebug.sim.real_tensor import to_real
from ipudebug.sim.records import iterate_records, list_headers
from ipudebug.tensor import Tensor, TensorInfo, to_nhwc

if TYPE_CHECKING:
    from ipudebug.dumps.header import Header
    from ipudebug.runners import Feed, Runner


class CannotDump(ModelError):
    """The layers of this model cannot be seen."""


@dataclass
class Recording:
    """The records of a dump while they come into being.

    Attributes:
        headers: of the records, in their order.
        records: draw them once; the model runs meanwhile.
        is_float: whether all payloads are float32.
        outputs: the final outputs, complete when the records are drawn.
    """

    headers: list[Header]
    records: Iterator[Tensor]
    is_float: bool
    outputs: list[Tensor] = field(default_factory=list)


class Simulator:
    """A model that is ready to run, any number of times.

    Args:
        model: what runs.
        threads: of one operator; None leaves it to onnxruntime. A fixed model gives the same bits with any number.

    Attributes:
        norm: the flag for the preprocess.
        inputs: what the preprocess is to return.
        alignment: the shape of the board's buffer of each output; None for a float model.
    """

    def __init__(self, model: SimModel, *, threads: int | None = None) -> None:
        """Plan the run; raises UnsupportedOp."""
        self.model = model
        self.norm = not model.stage.is_integer
        self.alignment: list[tuple[int, ...]] | None = None
        self._ports: list[InputPort] = []
        self._threads = threads
        self._runner: Runner
        if model.stage.is_integer:
            from ipudebug.sim.executor import FixedRunner  # brings the kernels

            self._runner = FixedRunner(model, threads=threads)
            self._ports = list_ports(model)
            self.inputs = tuple(port.expected for port in self._ports)
            infos = [model.tensors[name] for name in self._runner.outputs]
            self.alignment = [align_shape(info.shape, info.dtype) for info in infos]
        else:
            self._runner = self._open_float(optimize=True)
            self.inputs = self._runner.inputs

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the final outputs."""
        return self._runner.outputs

    def open(self) -> None:
        """Get ready what the first run would otherwise begin with; what is wrong with the model, that run tells."""
        if isinstance(self._runner, OnnxRunner):
            self._runner.open()

    def pack(self, arrays: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Return the bytes of each input as the board is fed with them; a float model's are the values themselves."""
        if not self._ports:
            return [np.ascontiguousarray(arrays[info.name]).reshape(-1).view(np.uint8) for info in self.inputs]
        buffers = fill_buffers(self._ports, arrays)
        return [port.pack_buffer(buffers[port.graph.name]) for port in self._ports]

    def run(self, arrays: Mapping[str, np.ndarray]) -> list[Tensor]:
        """Return the final outputs as real numbers, 4-D ones NHWC; ``arrays`` are as ``inputs`` says."""
        return [_make_real(tensor) for tensor in self._runner.run(self._feed(arrays))]

    def record(self, arrays: Mapping[str, np.ndarray], *, dequantise: bool) -> Recording:
        """Return the records of a dump; raises CannotDump for an offline model.

        ``dequantise`` turns the integers of a fixed model into real numbers.
        """
        check_dump(self.model)
        feed = self._feed(arrays)
        runner = self._runner if self._ports or self.model.stage.is_integer else self._open_float(optimize=False)
        recording = Recording(
            list_headers(self.model, dequantise=dequantise), iter(()), dequantise or not self.model.stage.is_integer
        )
        trace = _keep_outputs(runner.trace(feed), runner.outputs, recording.outputs)
        recording.records = iterate_records(self.model, trace, feed=feed, dequantise=dequantise)
        return recording

    def _feed(self, arrays: Mapping[str, np.ndarray]) -> Feed:
        """Return what the graph takes."""
        return read_buffers(self._ports, fill_buffers(self._ports, arrays)) if self._ports else arrays

    def _open_float(self, optimize: bool) -> OnnxRunner:
        """Return a runner of a float model."""
        return OnnxRunner(self.model.files, optimize=optimize, threads=self._threads)


def check_dump(model: SimModel) -> None:
    """Raise CannotDump for a model whose layers cannot be seen."""
    if model.stage is Stage.OFFLINE:
        raise CannotDump(
            f"{model.path}: an offline model cannot be dumped: its layers are sealed in it",
            "dump the fixed model that it was made from, which computes the same; to run this one, take dumpTensor out",
        )


def _keep_outputs(trace: Iterable[Tensor], names: tuple[str, ...], kept: list[Tensor]) -> Iterator[Tensor]:
    """Yield a trace; behind it, ``kept`` has the final outputs in their order."""
    found: dict[str, Tensor] = {}
    for tensor in trace:
        if tensor.info.name in names:
            found[tensor.info.name] = tensor
        yield tensor
    kept += [_make_real(found[name]) for name in names]


def _make_real(tensor: Tensor) -> Tensor:
    """Return a tensor as real numbers, a 4-D one NHWC."""
    tensor = to_nhwc(tensor)
    info = tensor.info
    if info.quant is None or info.dtype.kind not in "iu":
        return tensor
    values = to_real(tensor.array, info.quant)
    return Tensor(TensorInfo(info.name, values.shape, values.dtype, layout=info.layout, op_index=info.op_index), values)
