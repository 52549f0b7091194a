"""The two steps by which RELU and LEAKY_RELU rescale: to int16 at the output's range, then to UINT8 if that is asked.

A node with one multiplier makes one step, hu(a m, n) (INT16 output); with two, t = clip16(hu(a m, n)) and hu(t m', n')
(UINT8 output). Exact (SPEC 11.4).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.sim.kernels.elementwise import compute_elementwise, read_target, subtract_zero
from ipudebug.sim.kernels.formula import Formula, Operand
from ipudebug.sim.kernels.node import Node, find_reach
from ipudebug.sim.kernels.rescaling import Product, Target, express_rescaling
from ipudebug.sim.kernels.rounding import pick_width, shift_half_up

INT16 = (-32768, 32767)


def rectify(a: np.ndarray, node: Node, negative: tuple[int, int]) -> list[np.ndarray]:
    """Return the activation of ``a``: what is below zero is multiplied by its own (multiplier, shift).

    Raises ModelError.
    """
    node.activations([a])
    (zero,) = node.zeros([a])
    multipliers = node.multipliers("multipliers", (1, 2))
    shifts = node.integers("shifts", len(multipliers))
    reach = find_reach(a, zero)
    steps = [(reach, negative[0], negative[1]), (reach, multipliers[0], shifts[0])]
    steps += [(1 << 15, multiplier, shift) for multiplier, shift in zip(multipliers[1:], shifts[1:], strict=True)]
    widths = {pick_width(limit * abs(multiplier), shift) for limit, multiplier, shift in steps}
    width = np.int64 if np.int64 in widths else np.int32

    def activate(a: np.ndarray) -> np.ndarray:
        values = subtract_zero(a, zero, width)
        result = shift_half_up(np.maximum(values, 0) * width(multipliers[0]), shifts[0])
        if negative[0]:
            below = shift_half_up(np.minimum(values, 0) * width(negative[0]), negative[1])
            result = result + below  # one of the two is zero
        for multiplier, shift in zip(multipliers[1:], shifts[1:], strict=True):
            result = shift_half_up(np.clip(result, *INT16) * width(multiplier), shift)
        return result

    return compute_elementwise(node, [a], activate)


def express_rectification(operands: Sequence[Operand], node: Node, formula: Formula) -> bool:
    """Fill a formula with an activation that is zero below zero; return False where that would not be exact."""
    (a,) = node.arrays([operand.array for operand in operands], 1)
    node.activations([a])
    (zero,) = node.zeros([a])
    multipliers = node.multipliers("multipliers", (1, 2))
    shifts = node.integers("shifts", len(multipliers))
    target = read_target(node)
    if min(multipliers) < 0:
        return False
    if len(multipliers) == 1:  # a multiplier that is not negative: the output's zero point is where zero goes
        low, high = target.bounds
        target = Target(target.zero, (min(max(low, target.zero), high), high), target.dtype)
    info = np.iinfo(a.dtype)
    first = target if len(multipliers) == 1 else Target(0, (0, INT16[1]), np.dtype(np.int16))
    product = Product(operands[0].name, int(info.min), int(info.max), multipliers[0])
    result = express_rescaling([product], -zero * multipliers[0], shifts[0], first, formula)
    if result is not None and len(multipliers) == 2:
        product = Product(result, 0, INT16[1], multipliers[1])
        result = express_rescaling([product], 0, shifts[1], target, formula)
    if result is not None:
        formula.give(result, a.shape, target.dtype)
    return result is not None
