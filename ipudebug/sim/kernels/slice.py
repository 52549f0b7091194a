"""SLICE: a copy of a part; what the chip does with it was not seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.sim.kernels import Attributes, Kernel
from ipudebug.sim.kernels.node import Node


def compute(inputs: Sequence[np.ndarray], attributes: Attributes) -> list[np.ndarray]:
    """Return x[starts:ends:steps] along ``axes``, with ONNX's rules; raises ModelError if nothing is left.

    Without ``axes`` the first ones are meant, without ``steps`` all are 1.
    """
    node = Node("SLICE", attributes)
    (x,) = node.arrays(inputs, 1)
    starts = node.integers("starts")
    ends = node.integers("ends", len(starts))
    axes = node.axes("axes", x.ndim, list(range(len(starts))))
    steps = node.integers("steps", len(starts), [1] * len(starts))
    if len(axes) != len(starts) or 0 in steps:
        raise node.fail(f"expected one axis and a step other than 0 for each start, found axes {axes}, steps {steps}")
    index = [slice(None)] * x.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        is_whole = step < 0 and end < -x.shape[axis]  # ONNX: down to and including the first element
        index[axis] = slice(start, None if is_whole else end, step)
    part = x[tuple(index)]
    if part.size == 0:
        raise node.fail(f"nothing is left of shape {list(x.shape)}: starts {starts}, ends {ends}, steps {steps}")
    return [part.copy(order="C")]


KERNEL = Kernel(compute, status="inexact")
