"""RESHAPE: a copy; exact."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ipudebug.sim.kernels import Attributes, Kernel
from ipudebug.sim.kernels.formula import Formula, Operand
from ipudebug.sim.kernels.node import Node


def compute(inputs: Sequence[np.ndarray], attributes: Attributes) -> list[np.ndarray]:
    """Return the input in another ``shape``, in which 0 keeps a size and one -1 is what is left, as in ONNX."""
    node = Node("RESHAPE", attributes)
    (x,) = node.arrays(inputs, 1)
    wanted = node.integers("shape")
    sizes = [x.shape[i] if size == 0 and i < x.ndim else size for i, size in enumerate(wanted)]
    try:
        return [x.reshape(sizes).copy(order="C")]
    except ValueError:
        raise node.fail(f"shape {list(x.shape)} cannot become {wanted}") from None


def express(operands: Sequence[Operand], attributes: Attributes, formula: Formula) -> bool:
    """Fill a formula with the copy."""
    (y,) = compute([operand.array for operand in operands], attributes)
    formula.give(formula.add("Reshape", operands[0].name, np.array(y.shape, np.int64)), y.shape, y.dtype)
    return True


KERNEL = Kernel(compute, express=express)
