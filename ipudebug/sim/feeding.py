"""What a preprocess returns -> the board's buffers -> what a fixed model's graph takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ipudebug.config.input_formats import RAW
from ipudebug.inputs.formats import CHANNELS, NV12, convert_image, decode_nv12, pack_buffer, quantise_raw
from ipudebug.runners.weights import find_dtype
from ipudebug.sim.model import BoardInput, SimModel
from ipudebug.tensor import Layout, TensorInfo

if TYPE_CHECKING:
    from ipudebug.runners import Feed

_TO_NHWC, _TO_NCHW = (0, 2, 3, 1), (0, 3, 1, 2)
_FLOAT = np.dtype(np.float32)


@dataclass(frozen=True, slots=True)
class InputPort:
    """One input of a fixed model.

    Attributes:
        board: how the board is fed.
        graph: what the graph takes; 4-D ones NCHW.
    """

    board: BoardInput
    graph: TensorInfo

    @property
    def is_image(self) -> bool:
        """Whether the input is an image in its board format, not data that go in as they are."""
        return self._channel_axis is not None

    @property
    def _channel_axis(self) -> int | None:
        """Where the graph has the channels of an image: 1, or 3 in a model that takes NHWC; None if it is none."""
        shape, form, training = self.graph.shape, self.board.input_format, self.board.training_format
        if len(shape) != 4 or self.graph.dtype != np.uint8 or training not in CHANNELS:
            return None
        channels = CHANNELS.get(training if form == NV12 else form, "")
        return next((axis for axis in (1, 3) if shape[axis] in (len(channels), len(channels.rstrip("A")))), None)

    @property
    def _image_size(self) -> tuple[int, int, int]:
        """Images, rows and columns of an image input."""
        shape = self.graph.shape
        return (shape[0], shape[2], shape[3]) if self._channel_axis == 1 else (shape[0], shape[1], shape[2])

    @property
    def is_raw(self) -> bool:
        """Whether the input takes real values, which are quantised on the way in; without a format, INT16 tells."""
        is_quantised = self.graph.quant is not None and self.graph.dtype.kind in "iu"
        return is_quantised and (self.board.input_format in RAW or self.graph.dtype == np.int16)

    @property
    def expected(self) -> TensorInfo:
        """What the preprocess is to return with norm=False."""
        if self.is_image:
            shape = (*self._image_size, len(CHANNELS[self.board.training_format]))
            return TensorInfo(self.graph.name, shape, self.graph.dtype, layout=Layout.NHWC, role="in")
        if self.is_raw:
            return replace(self.graph, dtype=_FLOAT, quant=None)
        return self.graph

    @property
    def buffer_info(self) -> TensorInfo:
        """The board's buffer without its alignment: 4-D ones NHWC, YUV_NV12 with Y above UV."""
        info = self.graph
        if len(info.shape) != 4:
            return info
        n, c, h, w = info.shape
        if self.is_image:
            n, h, w = self._image_size
            form = self.board.input_format
            h, w, c = (-(-h // 2) * 3, w + w % 2, 1) if form == NV12 else (h, w, len(CHANNELS[form]))
        return replace(info, shape=(n, h, w, c), layout=Layout.NHWC)

    def fill_buffer(self, array: np.ndarray) -> np.ndarray:
        """Return the board's buffer without its alignment, made from an array that is as ``expected`` says."""
        if self.is_image:
            return convert_image(array, self.board.training_format, self.board.input_format)
        if self.is_raw and self.graph.quant is not None:
            array = quantise_raw(array, self.graph.quant.scale[0], self.graph.quant.zero_point[0], self.graph.dtype)
        return array.transpose(_TO_NHWC) if array.ndim == 4 else array

    def pack_buffer(self, buffer: np.ndarray) -> np.ndarray:
        """Return all bytes of a buffer as they lie in the board's memory."""
        board = self.board
        return pack_buffer(
            buffer,
            board.input_format if self.is_image else RAW[0],
            board.width_alignment,
            board.height_alignment,
        )

    def read_buffer(self, buffer: np.ndarray) -> np.ndarray:
        """Return what the graph takes."""
        if buffer.ndim != 4:
            return buffer
        axis = self._channel_axis
        if axis is not None:
            if self.board.input_format == NV12:
                buffer = decode_nv12(buffer, self.board.training_format, *self._image_size[1:])
            buffer = buffer[..., : self.graph.shape[axis]]
        if axis == 3:
            return np.ascontiguousarray(buffer)
        return np.ascontiguousarray(buffer.transpose(_TO_NCHW))


def list_ports(model: SimModel) -> list[InputPort]:
    """Return the inputs of a model in its order."""
    boards = {board.name: board for board in model.inputs}
    ports = []
    for value in model.structure.feeds:
        shape = value.shape or ()
        known = model.tensors.get(value.name)
        info = TensorInfo(
            value.name,
            shape,
            find_dtype(value.element) or np.dtype(object),
            known.quant if known else None,
            Layout.NCHW if len(shape) == 4 else None,
            role="in",
        )
        ports.append(InputPort(boards.get(value.name, BoardInput(value.name)), info))
    return ports


def fill_buffers(ports: list[InputPort], arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the board's buffer of each input."""
    return {port.graph.name: port.fill_buffer(arrays[port.graph.name]) for port in ports}


def read_buffers(ports: list[InputPort], buffers: Mapping[str, np.ndarray]) -> Feed:
    """Return what the graph takes."""
    return {port.graph.name: port.read_buffer(buffers[port.graph.name]) for port in ports}
