"""Standard ONNX nodes that only move elements: they may stand among the nodes of formulas, whatever computes there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ipudebug.sim.kernels.formula import Formula, Operand
from ipudebug.sim.kernels.node import ACTIVATIONS

if TYPE_CHECKING:
    from onnx import NodeProto


def express_move(node: NodeProto, operands: Sequence[Operand], formula: Formula) -> bool:
    """Fill a formula with an Identity, Transpose or Reshape of activations; return False for any other node."""
    if node.domain or not operands or operands[0].array.dtype not in ACTIVATIONS:
        return False
    name, x = operands[0].name, operands[0].array
    try:
        if node.op_type == "Identity":
            made, shape = formula.add("Identity", name), x.shape
        elif node.op_type == "Transpose":
            axes = next((list(attribute.ints) for attribute in node.attribute), list(range(x.ndim))[::-1])
            made, shape = formula.add("Transpose", name, perm=axes), x.transpose(axes).shape
        elif node.op_type == "Reshape" and not node.attribute:
            sizes = operands[1].array.tolist()
            shape = x.reshape([x.shape[place] if size == 0 else size for place, size in enumerate(sizes)]).shape
            made = formula.add("Reshape", name, np.array(shape, np.int64))
        else:
            return False
    except (ValueError, IndexError):  # it does not fit: onnxruntime's words for that are better
        return False
    formula.give(made, shape, x.dtype)
    return True
