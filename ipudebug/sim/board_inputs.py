"""input_config.ini and the inputs of a model -> how the board feeds each of them, and the range of its pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from ipudebug.config.input_config import InputConfig
from ipudebug.config.input_formats import RAW
from ipudebug.errors import ConfigError
from ipudebug.sim.model import BoardInput
from ipudebug.sim.network import FloatNetwork
from ipudebug.sim.quantisation import UINT8, Range, TensorQuant, make_quant
from ipudebug.sim.read import describe_input

CHANNELS = {"RGB": 3, "BGR": 3, "RGBA": 4, "BGRA": 4, "GRAY": 1}
"""Of what training used."""
RAW_FLOAT = "RAWDATA_F32_NHWC"


def describe_inputs(config: InputConfig, network: FloatNetwork) -> tuple[BoardInput, ...]:
    """Return how the board feeds each input of a float model, in its order; raises ConfigError.

    An input that the file states no format of is RGB or GRAY if it has that many channels, raw data otherwise.
    """
    return tuple(_describe_input(name, config, network) for name in network.inputs)


def _describe_input(name: str, config: InputConfig, network: FloatNetwork) -> BoardInput:
    """Return how the board feeds one input."""
    board = describe_input(name, config)
    shape = network.shape(name)
    if not board.training_format:
        counts = {1: "GRAY", 3: "RGB"} if len(shape) == 4 and network.is_activation(name) else {}
        guess = counts.get(shape[1], RAW_FLOAT) if counts else RAW_FLOAT
        board = replace(board, training_format=guess, input_format=guess)
    if board.training_format in RAW:
        return replace(board, mean=(), std=())
    if not network.is_activation(name) or find_channel_axis(shape, board.training_format) is None:
        expected = f"{board.training_format} input {name} to have {CHANNELS[board.training_format]} channels"
        where = config.places.get("training_input_formats", config.path)
        raise ConfigError(
            f"{where}: expected the {expected}, found shape {list(shape)}",
            "state the format that the model was trained with, or RAWDATA_F32_NHWC",
        )
    place = config.inputs.index(name) if name in config.inputs else None
    mean = config.mean[place] if place is not None and config.mean else (0.0,)
    std = config.std_value[place] if place is not None and config.std_value else (1.0,)
    count = max(len(mean), len(std), min(CHANNELS[board.training_format], 3))
    return replace(board, mean=_spread(mean, count), std=_spread(std, count))


def _spread(values: Sequence[float], count: int) -> tuple[float, ...]:
    """Return one number per colour."""
    return tuple(values) * count if len(values) == 1 else tuple(values)


def find_channel_axis(shape: Sequence[int], training_format: str) -> int | None:
    """Return where an image of that format has its channels: axis 1, or the last; None if nowhere."""
    count = CHANNELS.get(training_format)
    if len(shape) != 4 or count is None:
        return None
    return next((axis for axis in (1, 3) if shape[axis] == count), None)


def is_image(board: BoardInput) -> bool:
    """Return whether the board feeds an input with pixels."""
    return board.training_format not in RAW


def order_channels(values: Sequence[float], training_format: str) -> list[float]:
    """Return mean or std, which are stated in R, G, B order, in the order of the channels that training used."""
    ordered = list(values)
    if training_format.startswith("BGR"):
        ordered[:3] = ordered[:3][::-1]
    return ordered


def make_pixel_quant(board: BoardInput) -> TensorQuant:
    """Return how an image's normalised pixels are stored: from (0 - mean) / std to (255 - mean) / std (SPEC 11.1)."""
    pairs = list(zip(board.mean, board.std, strict=True))
    ends = [(pixel - mean) / std for mean, std in pairs for pixel in (0, 255)]
    return make_quant(Range(min(ends), max(ends)), UINT8)


def is_uniform(board: BoardInput) -> bool:
    """Return whether all channels have one mean and one std, so that pixels are stored as they come."""
    return len(set(zip(board.mean, board.std, strict=True))) <= 1


def derive_conversion(board: BoardInput, quant: TensorQuant) -> tuple[list[int], list[int]] | None:
    """Return matrix and offset of the INPUT_CONVERSION of three channels; None where it would change nothing.

    A coefficient is round(1024 / (std scale)), an offset 256 + round(zero - mean / (std scale)) (SPEC 11.3). A board
    that feeds the colours in the other order has the matrix turned round.
    """
    mean, std = (order_channels(values, board.training_format) for values in (board.mean, board.std))
    swaps = board.input_format != "YUV_NV12" and board.input_format[:3] != board.training_format[:3]
    matrix, offset = [0] * 9, []
    for channel, (shift, width) in enumerate(zip(mean, std, strict=True)):
        unit = width * float(quant.scale)
        matrix[3 * channel + (2 - channel if swaps else channel)] = math.floor(1024 / unit + 0.5)
        offset.append(256 + math.floor(quant.zero - shift / unit + 0.5))
    return None if (matrix, offset) == ([1024, 0, 0, 0, 1024, 0, 0, 0, 1024], [256] * 3) else (matrix, offset)
