"""A kernel's arithmetic once more, as nodes of standard ONNX: what onnxruntime runs in its place.

Nodes may compute with floating point wherever every value is exact, whatever the order, the number of threads and the
processor: integers up to 2^24 in float32 and 2^53 in float64, scaled by powers of two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from onnx import NodeProto

OPSET = 21
"""The first one whose QuantizeLinear makes int16."""
IR_VERSION = 10
SHIFTS = range(7, 31)
"""By how many bits ``shift_down`` can shift int32: fewer leave more than float32 holds."""

Value = str | np.ndarray | np.generic
"""The name of a tensor, or a constant."""


@dataclass(frozen=True, slots=True)
class Operand:
    """An input or output of a formula.

    Attributes:
        name: of the tensor.
        array: a constant's values; else an array without memory of its own that has the tensor's shape and dtype.
        is_constant: which of the two.
    """

    name: str
    array: np.ndarray
    is_constant: bool = False


def describe_operand(name: str, shape: Sequence[int], dtype: np.dtype | type) -> Operand:
    """Return an operand that is no constant."""
    return Operand(name, np.broadcast_to(np.zeros((), dtype), tuple(shape)))


class Formula:
    """Nodes that compute what a kernel computes, to the bit.

    Attributes:
        nodes: in execution order.
        constants: what they read, by name.
        outputs: of the kernel, in its order, under names of the formula.
    """

    def __init__(self, stem: str) -> None:
        """Begin without nodes; every name begins with ``stem``, which nothing else in the model is called."""
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, np.ndarray] = {}
        self.outputs: list[Operand] = []
        self._stem = stem

    def add(self, op: str, *inputs: Value, **attributes: Any) -> str:
        """Append a node and return the name of its output."""
        return self.add_many(op, inputs, 1, **attributes)[0]

    def add_many(self, op: str, inputs: Sequence[Value], count: int, **attributes: Any) -> list[str]:
        """Append a node and return the names of its ``count`` outputs."""
        from onnx import helper

        names = [value if isinstance(value, str) else self._keep(np.asarray(value)) for value in inputs]
        made = [f"{self._stem}/{len(self.nodes)}/{place}" for place in range(count)]
        self.nodes.append(helper.make_node(op, names, made, **attributes))
        return made

    def cast(self, value: Value, dtype: np.dtype | type) -> str:
        """Return a tensor in another dtype that holds all its values."""
        from onnx import helper

        return self.add("Cast", value, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def saturate(self, values: str, dtype: np.dtype, *, scale: float = 1.0, zero: int = 0) -> str:
        """Return float32 values / scale, rounded half to even, + zero, clipped to the range of uint8 or int16."""
        return self.add("QuantizeLinear", values, np.float32(scale), np.asarray(zero, dtype))

    def shift_down(self, sums: str, shift: int, zero: int, bounds: tuple[int, int], dtype: np.dtype) -> str:
        """Return clip((sums >> shift) + zero) in ``dtype``, for int32 sums and a shift of ``SHIFTS``.

        The low bits are cleared first; what is left has 24 bits, so that float32 holds it and its quotient by the power
        of two. The half that makes the shift round must be in the sums.
        """
        values = self.cast(self.add("BitwiseAnd", sums, np.int32(-1 << shift)), np.float32)
        info = np.iinfo(dtype)
        if bounds != (info.min, info.max):
            low, high = (np.float32((bound - zero) * 2.0**shift) for bound in bounds)
            values = self.add("Clip", values, low, high)
        return self.saturate(values, dtype, scale=2.0**shift, zero=zero)

    def give(self, name: str, shape: Sequence[int], dtype: np.dtype | type) -> None:
        """Make a tensor of the formula the kernel's next output."""
        self.outputs.append(describe_operand(name, shape, dtype))

    def _keep(self, array: np.ndarray) -> str:
        """Return the name of a constant."""
        name = f"{self._stem}/constant{len(self.constants)}"
        self.constants[name] = array
        return name


Express = Callable[[Sequence[Operand], Any, Formula], bool]
"""(operands, attributes, formula) -> whether the formula computes the kernel's outputs for these operands.

Where it does not, the formula may hold anything. Raises ModelError as the kernel does.
"""
