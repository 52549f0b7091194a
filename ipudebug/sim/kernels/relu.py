"""RELU: below its zero point 0, else rescaled in one step (INT16 output) or two (UINT8 output); exact."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.sim.kernels import Attributes, Kernel
from ipudebug.sim.kernels.formula import Formula, Operand
from ipudebug.sim.kernels.node import Node
from ipudebug.sim.kernels.rectify import express_rectification, rectify


def compute(inputs: Sequence[np.ndarray], attributes: Attributes) -> list[np.ndarray]:
    """Return the activation, or RELU6's where ``high`` says so; ``rectify`` has the arithmetic."""
    node = Node("RELU", attributes)
    (a,) = node.arrays(inputs, 1)
    return rectify(a, node, (0, 0))


def express(operands: Sequence[Operand], attributes: Attributes, formula: Formula) -> bool:
    """Fill a formula with the activation."""
    return express_rectification(operands, Node("RELU", attributes), formula)


KERNEL = Kernel(compute, express=express)
