"""DEPTHWISE_CONV_2D: CONV_2D's arithmetic with one kernel per channel; exact (SPEC 11.2)."""

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

    Inputs: x, weights [1,kh,kw,C] int8 or int16, bias16 [C] int16, mult16 [C] int16.
    """
    return convolve(inputs, Node("DEPTHWISE_CONV_2D", attributes), depthwise=True)


def express(operands: Sequence[Operand], attributes: Attributes, formula: Formula) -> bool:
    """Fill a formula; see ``express_convolution``."""
    return express_convolution(operands, Node("DEPTHWISE_CONV_2D", attributes), True, formula)


KERNEL = Kernel(compute, express=express)
