"""INPUT_CONVERSION: the board's pixels to what the first convolution takes; exact (SPEC 11.3).

clip(((sum_j M[c][j] x[j] + 512) >> 10) + offset[c] - 256, 0, 255); a fourth channel of x is ignored.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.sim.kernels import Attributes, Kernel
from ipudebug.sim.kernels.formula import Formula, Operand
from ipudebug.sim.kernels.node import Node
from ipudebug.sim.kernels.rounding import shift_half_up
from ipudebug.sim.kernels.slabs import map_slabs

FRACTION = 10
"""Binary places of the coefficients."""
ONE = 1 << FRACTION
BIAS = 256
"""What the offsets are stored with."""
UINT8 = np.dtype(np.uint8)


def compute(inputs: Sequence[np.ndarray], attributes: Attributes) -> list[np.ndarray]:
    """Return three channels, uint8, in the layout of the input; raises ModelError.

    ``matrix`` has 9 coefficients times 1024, output channel major; ``offset`` has one value per output channel.
    """
    x, axis, matrix, offset = _read(inputs, Node("INPUT_CONVERSION", attributes))
    channels = np.moveaxis(x, axis, 0)
    result = np.empty([3 if index == axis else size for index, size in enumerate(x.shape)], np.uint8)
    for index, target in enumerate(np.moveaxis(result, axis, 0)):
        row = matrix[3 * index : 3 * index + 3]
        terms = [(factor, channel) for factor, channel in zip(row, channels, strict=False) if factor]
        target[...] = _mix(terms or [(0, channels[0])], offset[index] - BIAS)
    return [result]


def express(operands: Sequence[Operand], attributes: Attributes, formula: Formula) -> bool:
    """Fill a formula with a choice of channels, or a convolution of one pixel.

    Returns False for NHWC, or where it would not be exact.
    """
    x, axis, matrix, offset = _read([operand.array for operand in operands], Node("INPUT_CONVERSION", attributes))
    shape = (len(x), 3, *x.shape[2:])
    chosen = [matrix[3 * row : 3 * row + 3].index(ONE) for row in range(3) if ONE in matrix[3 * row : 3 * row + 3]]
    if axis == 1 and len(chosen) == 3 and np.count_nonzero(matrix) == 3 and set(offset) == {BIAS}:
        formula.give(formula.add("Gather", operands[0].name, np.array(chosen), axis=1), shape, UINT8)
        return True
    rows = np.zeros((3, x.shape[1], 1, 1))
    rows[:, :3, 0, 0] = np.reshape(matrix, (3, 3))
    bias = ((np.array(offset) - BIAS) << FRACTION) + (1 << FRACTION - 1)
    if axis != 1 or 255 * np.abs(rows).sum() + np.abs(bias).max() >= 1 << 24:
        return False
    scale = 2.0**-FRACTION
    values = formula.cast(operands[0].name, np.float32)
    sums = formula.add("Conv", values, (rows * scale).astype(np.float32), (bias * scale).astype(np.float32))
    formula.give(formula.saturate(formula.add("Floor", sums), UINT8), shape, UINT8)
    return True


def _read(inputs: Sequence[np.ndarray], node: Node) -> tuple[np.ndarray, int, list[int], list[int]]:
    """Return the image, the axis of its channels, the matrix and the offsets; raises ModelError."""
    (x,) = node.arrays(inputs, 1)
    axis = 3 if node.is_channels_last else 1
    if x.ndim != 4 or x.dtype != UINT8 or x.shape[axis] not in (3, 4):
        raise node.fail(f"expected a uint8 image of 3 or 4 channels, found {x.dtype} {list(x.shape)}")
    return x, axis, node.multipliers("matrix", 9), node.multipliers("offset", 3)


def _mix(terms: list[tuple[int, np.ndarray]], offset: int) -> np.ndarray:
    """Return one output channel: the rounded sum of (factor, channel) and the offset, clipped to a byte."""

    def mix(*pieces: np.ndarray) -> np.ndarray:
        total = np.zeros(pieces[0].shape, np.int32)
        for (factor, _), piece in zip(terms, pieces, strict=True):
            total += piece.astype(np.int32) * np.int32(factor)
        values: np.ndarray = shift_half_up(total, FRACTION) + np.int32(offset)
        return values

    return map_slabs(mix, [channel for _, channel in terms], 0, 255, UINT8)


KERNEL = Kernel(compute, express=express)
