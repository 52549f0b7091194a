"""A model on its way to the board, whoever wrote its file: what runs, and what a dump of it shows."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    import onnx

    from ipudebug.runners import ModelFiles
    from ipudebug.runners.graph import Graph
    from ipudebug.tensor import TensorInfo


class Stage(enum.Enum):
    """How far a model has come."""

    FLOAT = "float"
    CMODEL_FLOAT = "cmodel float"
    FIXED = "fixed"
    OFFLINE = "offline"

    @property
    def is_integer(self) -> bool:
        """Whether activations are integers, and the preprocess is called with norm=False."""
        return self in (Stage.FIXED, Stage.OFFLINE)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operator as a dump shows it; in a fused domain: the head's type and inputs, the last member's outputs.

    Attributes:
        index: the ``N`` of ``op_in[N]`` and ``op_out[N]``.
        in_type, out_type: op types of the two header lines; equal unless operators are fused.
        inputs, outputs: tensor names, constants among the inputs.
        inexact: types of its operators whose integers are not known to be the chip's (docs/exactness.md); of a fixed or
            offline model.
    """

    index: int
    in_type: str
    out_type: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    inexact: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BoardInput:
    """One input of the model as the board is fed with it.

    Attributes:
        name: of the tensor.
        training_format, input_format: ``RGB``, ``BGR``, ``RGBA``, ``BGRA``, ``GRAY``, ``YUV_NV12``,
            ``RAWDATA_S16_NHWC``, ``RAWDATA_F32_NHWC``.
        mean, std: per channel in R, G, B order; empty for raw data.
        width_alignment, height_alignment: of the board's buffer.
    """

    name: str
    training_format: str = "RGB"
    input_format: str = "RGB"
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    width_alignment: int = 1
    height_alignment: int = 1


@dataclass(frozen=True)
class SimModel:
    """A float, fixed or offline model that can be run and dumped.

    Attributes:
        stage: how far it has come.
        kind: whose file it was.
        files: where what runs is: an ONNX model of float32 operators, or of nodes of the domain ``ipudebug``
            (docs/simulation.md). Every 4-D activation is NCHW in it.
        load: gives that model as the onnx package has it; see ``graph``.
        operations: what a dump shows, in its order.
        tensors: facts of every tensor that a dump shows; shapes of 4-D activations are NHWC, as they are dumped.
            ``quant`` is that of the fixed model, also for constants.
        constants: the data of the constants that a dump shows, as it stands there.
        scales: name -> the texts behind ``s:`` and ``z:`` in a dump's header, where they are not those of ``quant``.
        inputs: the model's inputs, in its order.
        converted: image input -> what the first layer reads of it, which a dump shows in its place; none in a vendor's.
        chip: soc_version; "" when the file does not say.
        path: the file.
    """

    stage: Stage
    kind: Literal["ipudebug", "vendor"]
    files: ModelFiles
    load: Callable[[], onnx.ModelProto]
    operations: tuple[Operation, ...]
    tensors: Mapping[str, TensorInfo]
    constants: Mapping[str, np.ndarray]
    inputs: tuple[BoardInput, ...]
    scales: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    converted: Mapping[str, str] = field(default_factory=dict)
    chip: str = ""
    path: str = ""

    @cached_property
    def graph(self) -> onnx.ModelProto:
        """What runs, as the onnx package has it: costly, so loaded where it is needed; raises ModelError."""
        return self.load()

    @property
    def structure(self) -> Graph:
        """What runs, taken apart: nodes and names, inputs and outputs, metadata; weights stay where they are."""
        assert self.files.graph is not None
        return self.files.graph
