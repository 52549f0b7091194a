"""SUB of two tensors: hu((a-z0) m0 - (b-z1) m1, shift) + y_zero; exact on the one that was seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.sim.kernels import Attributes, Kernel
from ipudebug.sim.kernels.add import combine, express_combination
from ipudebug.sim.kernels.formula import Formula, Operand
from ipudebug.sim.kernels.node import Node


def compute(inputs: Sequence[np.ndarray], attributes: Attributes) -> list[np.ndarray]:
    """Return the difference; the multipliers are ADD's (SPEC 11.4)."""
    return combine(inputs, Node("SUB", attributes), -1)


def express(operands: Sequence[Operand], attributes: Attributes, formula: Formula) -> bool:
    """Fill a formula with the difference."""
    return express_combination(operands, Node("SUB", attributes), -1, formula)


KERNEL = Kernel(compute, express=express)
