"""CONV_2D: hu((ha(sum x w, pre) + bias16) mult16, post); exact on every convolution of seven models (SPEC 11.2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.sim.kernels import Attributes, Kernel
from ipudebug.sim.kernels.convolution import convolve
from ipudebug.sim.kernels.formula import Formula, Operand
from ipudebug.sim.kernels.node import Node
from ipudebug.sim.kernels.requantise import express_convolution


def compute(inputs: Sequence[np.ndarray], attributes: Attributes) -> list[np.ndarray]:
    """Return the output, NCHW or NHWC as the input is; raises ModelError.

    Inputs: x, weights [O,kh,kw,I] int8 or int16, bias16 [O] int16, mult16 [O] int16. The zero point is not subtracted
    from x, the padding has its value ``x_zero``, and what it adds to the sums is part of bias16, as is the output's.
    """
    return convolve(inputs, Node("CONV_2D", attributes), depthwise=False)


def express(operands: Sequence[Operand], attributes: Attributes, formula: Formula) -> bool:
    """Fill a formula; see ``express_convolution``."""
    return express_convolution(operands, Node("CONV_2D", attributes), False, formula)


KERNEL = Kernel(compute, express=express)
