"""Convolutions in a formula: float32 sums, the shift before the bias, the multiplier and the shift after it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.sim.kernels.convolution import Convolution, read_convolution
from ipudebug.sim.kernels.formula import Formula, Operand
from ipudebug.sim.kernels.node import Node
from ipudebug.sim.kernels.rescaling import Product, Target, express_rescaling
from ipudebug.sim.kernels.rounding import shift_half_away, shift_half_up
from ipudebug.sim.kernels.sums import Terms, express_terms, plan_terms

INT16 = (-32768, 32767)
NARROW = 1 << 23
"""Up to here the float32 next to an integer is no further from it than a half."""
WIDE = 1 << 45
"""Up to here one part in 2^48 is less than one."""
LARGEST_SHIFT = 45


def express_convolution(operands: Sequence[Operand], node: Node, depthwise: bool, formula: Formula) -> bool:
    """Fill a formula with a convolution of constant weights, NCHW; return False for any other."""
    if not all(operand.is_constant for operand in operands[1:]) or node.is_channels_last:
        return False
    convolution = read_convolution([operand.array for operand in operands], node, depthwise)
    terms = plan_terms(convolution)
    if not 0 <= convolution.pre <= LARGEST_SHIFT or max(-terms.low.min(), terms.high.max()) >= WIDE:
        return False
    if terms.zero and convolution.x.dtype.itemsize > 1:  # the digits of the difference would be larger
        return False
    low, high = (shift_half_away(end, convolution.pre) for end in (terms.low, terms.high))
    if terms.limit < NARROW and _may_saturate(convolution, low, high):
        shifted = _shift_narrow(convolution, terms, operands[0].name, formula)
        low, high = np.clip(low, *INT16), np.clip(high, *INT16)
    else:
        shifted = _shift_wide(convolution, terms, operands[0].name, formula)
    low, high, multiplier = (column.reshape(-1, 1, 1) for column in (low, high, convolution.multiplier))
    result = express_rescaling(
        [Product(shifted, low, high, multiplier)],
        convolution.bias.reshape(-1, 1, 1) * multiplier,
        convolution.post,
        Target(0, convolution.bounds, convolution.dtype),
        formula,
    )
    if result is not None:
        formula.give(result, convolution.shape, convolution.dtype)
    return result is not None


def _may_saturate(convolution: Convolution, low: np.ndarray, high: np.ndarray) -> bool:
    """Return whether the output is the same if the shifted sums, low..high, are clipped to int16.

    The output rises or falls with them, so that it is enough to look at the ends.
    """

    def finish(shifted: np.ndarray) -> np.ndarray:
        values = shift_half_up((shifted + convolution.bias) * convolution.multiplier, convolution.post)
        clipped: np.ndarray = np.clip(values, *convolution.bounds)
        return clipped

    return all(np.array_equal(finish(end), finish(np.clip(end, *INT16))) for end in (low, high))


def _shift_narrow(convolution: Convolution, terms: Terms, x: str, formula: Formula) -> str:
    """Append ha(sums, pre) as int16, clipped to its range.

    Dividing by the float32 below one makes every quotient the next float32 away from zero: what was a tie is none any
    more, and what was none has not become one, for ties are integers of the sums and their next float32 is near.
    """
    (quotient,) = express_terms(convolution, terms, x, 2.0**-convolution.pre, formula)
    scale = np.nextafter(np.float32(1), np.float32(0)) if convolution.pre else 1.0
    return formula.saturate(quotient, np.dtype(np.int16), scale=float(scale))


def _shift_wide(convolution: Convolution, terms: Terms, x: str, formula: Formula) -> str:
    """Append ha(sums, pre) as float64; the factor takes ties away from zero, and nothing else over one."""
    parts = [formula.cast(name, np.float64) for name in express_terms(convolution, terms, x, 1.0, formula)]
    total = parts[0] if len(parts) == 1 else formula.add("Sum", *parts)
    if not terms.has_offset and terms.offset.any():
        total = formula.add("Add", total, terms.offset.astype(np.float64).reshape(-1, 1, 1))
    if convolution.pre == 0:
        return total
    return formula.add("Round", formula.add("Mul", total, np.float64(2.0**-convolution.pre * (1 + 2.0**-48))))
