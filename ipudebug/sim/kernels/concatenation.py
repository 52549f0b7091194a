"""CONCATENATION: a copy; the operands share scale and zero point; exact."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.sim.kernels import Attributes, Kernel
from ipudebug.sim.kernels.formula import Formula, Operand
from ipudebug.sim.kernels.node import Node


def compute(inputs: Sequence[np.ndarray], attributes: Attributes) -> list[np.ndarray]:
    """Return the inputs one after the other along ``axis``; raises ModelError if they do not fit."""
    node = Node("CONCATENATION", attributes)
    arrays = node.arrays(inputs, 1, len(inputs) or 1)
    axis = node.axis("axis", arrays[0].ndim)
    kinds = {(array.dtype, array.shape[:axis], array.shape[axis + 1 :]) for array in arrays}
    if len(kinds) > 1 or len({array.ndim for array in arrays}) > 1:
        shapes = ", ".join(f"{array.dtype} {list(array.shape)}" for array in arrays)
        raise node.fail(f"inputs do not fit each other along axis {axis}: {shapes}")
    return [np.concatenate(arrays, axis)]


def express(operands: Sequence[Operand], attributes: Attributes, formula: Formula) -> bool:
    """Fill a formula with the copy."""
    (y,) = compute([operand.array for operand in operands], attributes)
    axis = Node("CONCATENATION", attributes).axis("axis", y.ndim)
    formula.give(formula.add("Concat", *(operand.name for operand in operands), axis=axis), y.shape, y.dtype)
    return True


KERNEL = Kernel(compute, express=express)
