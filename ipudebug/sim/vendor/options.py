"""The options of convolutions and pools: windows, and where the fixed model has them, shifts and tiles (SPEC 10.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ipudebug.errors import ModelError
from ipudebug.sim.vendor.flatbuffer import Table
from ipudebug.sim.vendor.tables import VendorOperator

_SAME, _VALID, _EXPLICIT = 0, 1, 2
_DEFAULT_TILE = 16
_MOST = 1 << 16

ACTIVATIONS = {0: "", 1: "RELU", 2: "RELU_N1_TO_1", 3: "RELU6", 4: "TANH"}
"""What an operator does to its result before it becomes the output, by number."""


@dataclass(frozen=True, slots=True)
class Window:
    """How a kernel moves over the image: height first, pads top, left, bottom, right."""

    kernel: tuple[int, int]
    strides: tuple[int, int]
    dilations: tuple[int, int]
    pads: tuple[int, int, int, int]

    def slide(self, height: int, width: int) -> tuple[int, int]:
        """Return height and width of what the window makes of an image."""
        sizes = []
        for axis, size in enumerate((height, width)):
            reach = (self.kernel[axis] - 1) * self.dilations[axis] + 1
            free = size + self.pads[axis] + self.pads[axis + 2] - reach
            sizes.append(free // self.strides[axis] + 1 if free >= 0 else 0)
        return sizes[0], sizes[1]


@dataclass(frozen=True, slots=True)
class ConvolutionOptions:
    """Options of CONV_2D and DEPTHWISE_CONV_2D.

    Attributes:
        window: kernel, strides, dilations, pads.
        activation: ``ACTIVATIONS``.
        tiles: sizes of the weights' blocks: inputs (inner, outer), outputs (inner, outer).
        pre, post: shifts of the fixed model.
    """

    window: Window
    activation: str
    tiles: tuple[int, int, int, int]
    pre: int
    post: int


def read_convolution(
    operator: VendorOperator, kernel: Sequence[int], image: Sequence[int], path: str
) -> ConvolutionOptions:
    """Return the options of a convolution of a kernel over an image (both height, width); raises ModelError.

    Depthwise options have one slot more in front, the depth multiplier, which moves all that follow.
    """
    options = operator.options
    shift = 1 if operator.type == "DEPTHWISE_CONV_2D" else 0
    dilations = (options.integer(5 + shift, default=1), options.integer(4 + shift, default=1))
    window = _read_window(operator, options, kernel, dilations, 6 + shift, image, path)
    activation = _read_activation(operator, options, 3 + shift, path)
    inner_in, outer_in, inner_out, outer_out = (
        options.integer(slot + shift, default=_DEFAULT_TILE) for slot in range(10, 14)
    )
    tiles = (inner_in, outer_in, inner_out, outer_out)
    pre, post = options.integer(35 + shift), options.integer(37 + shift)
    return ConvolutionOptions(window, activation, tiles, pre, post)


def read_pool(operator: VendorOperator, image: Sequence[int], path: str) -> tuple[Window, str]:
    """Return window and activation of a pool over an image (height, width); raises ModelError."""
    options = operator.options
    kernel = (options.integer(4), options.integer(3))
    window = _read_window(operator, options, kernel, (1, 1), 6, image, path)
    return window, _read_activation(operator, options, 5, path)


def read_fused_activation(operator: VendorOperator, slot: int, path: str) -> str:
    """Return the activation that an elementwise operator's options name; "" where there are none."""
    options = operator.optional_options
    return _read_activation(operator, options, slot, path) if options is not None else ""


def _read_activation(operator: VendorOperator, options: Table, slot: int, path: str) -> str:
    """Return the name of a fused activation; raises ModelError for a number without one."""
    number = options.integer(slot, "b")
    if number not in ACTIVATIONS:
        raise ModelError(f"{path}: {operator.describe()}: unknown activation {number}", _HINT)
    return ACTIVATIONS[number]


def _read_window(
    operator: VendorOperator,
    options: Table,
    kernel: Sequence[int],
    dilations: tuple[int, int],
    pads_slot: int,
    image: Sequence[int],
    path: str,
) -> Window:
    """Return a window; raises ModelError for one that cannot be."""
    strides = (options.integer(2, default=1), options.integer(1, default=1))
    kind = options.integer(0, "b")
    left, right, top, bottom = (options.integer(pads_slot + i) for i in range(4))
    if kind == _EXPLICIT:
        pads = (top, left, bottom, right)
    elif kind == _VALID:
        pads = (0, 0, 0, 0)
    elif kind == _SAME:
        pads = _pad_same(kernel, strides, dilations, image)
    else:
        raise ModelError(f"{path}: {operator.describe()}: unknown padding {kind}", _HINT)
    sizes = (*kernel, *strides, *dilations)
    if any(not 1 <= size <= _MOST for size in sizes) or any(not 0 <= pad <= _MOST for pad in pads):
        raise ModelError(
            f"{path}: {operator.describe()}: impossible window: kernel {list(kernel)}, strides {list(strides)}, "
            f"dilations {list(dilations)}, pads {list(pads)}",
            _HINT,
        )
    return Window((kernel[0], kernel[1]), strides, dilations, pads)


def _pad_same(
    kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int], image: Sequence[int]
) -> tuple[int, int, int, int]:
    """Return TFLite's SAME padding: the output has ceil(size / stride) elements, the odd pad is behind."""
    before, after = [], []
    for axis in range(2):
        stride = max(strides[axis], 1)
        reach = (kernel[axis] - 1) * dilations[axis] + 1
        total = max((-(-image[axis] // stride) - 1) * stride + reach - image[axis], 0)
        before.append(total // 2)
        after.append(total - total // 2)
    return before[0], before[1], after[0], after[1]


_HINT = "the file is damaged, or of another SDK: convert the model again"
