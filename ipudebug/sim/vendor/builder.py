"""Builds an ONNX graph from a vendor's: 4-D activations become NCHW, and keep their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ipudebug.errors import ModelError, UnsupportedOp
from ipudebug.runners.elements import FLOAT
from ipudebug.sim.vendor.constants import read_constant, read_integers
from ipudebug.sim.vendor.onnx_writer import encode_model, encode_node, encode_value, encode_weight, find_element
from ipudebug.sim.vendor.tables import VendorModel, VendorOperator, VendorTensor
from ipudebug.tensor import dims

TO_NCHW = (0, 3, 1, 2)
TO_NHWC = (0, 2, 3, 1)
_OPSET = 17


def order_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """Return a shape as the graph has it: a 4-D one NCHW, any other as it is."""
    return tuple(shape[axis] for axis in TO_NCHW) if len(shape) == 4 else tuple(shape)


def order_axis(axis: int, rank: int) -> int:
    """Return the graph's number of an axis of the file; negative ones count from the end."""
    axis += rank if axis < 0 else 0
    return TO_NCHW.index(axis) if rank == 4 else axis


class GraphBuilder:
    """An ONNX graph in the making.

    A tensor of the file has one *value* in the graph, of the same name; of a 4-D one it is NCHW. ``stored`` gives the
    same elements in the file's order, for operators whose meaning depends on it.
    """

    def __init__(self, model: VendorModel) -> None:
        """Begin with an empty graph."""
        self.model = model
        self.nodes: list[bytes] = []
        self.initialisers: list[bytes] = []
        self._names = {tensor.name for tensor in model.tensors}
        self._values = {number: model.tensors[number].name for number in model.inputs}
        self._stored: dict[int, str] = {}

    # names ------------------------------------------------------------------------------------------------------

    def invent(self, stem: str) -> str:
        """Return a name that nothing else has."""
        name, number = stem, 1
        while name in self._names:
            number += 1
            name = f"{stem}_{number}"
        self._names.add(name)
        return name

    def add(
        self, op_type: str, inputs: Sequence[str], outputs: Sequence[str], domain: str = "", **attributes: Any
    ) -> None:
        """Append a node; attributes that are None are left out."""
        given = {name: value for name, value in attributes.items() if value is not None}
        self.nodes.append(encode_node(op_type, inputs, outputs, domain, given))

    def apply(self, op_type: str, inputs: Sequence[str], stem: str, **attributes: Any) -> str:
        """Append a node with one output of an invented name, and return that name."""
        output = self.invent(f"{stem}/{op_type}")
        self.add(op_type, inputs, [output], **attributes)
        return output

    # constants --------------------------------------------------------------------------------------------------

    def constant(self, array: np.ndarray, stem: str) -> str:
        """Add an initialiser and return its name."""
        name = self.invent(stem)
        self.initialisers.append(encode_weight(name, array))
        return name

    def integers(self, values: Sequence[int], stem: str) -> str:
        """Add an int64 vector and return its name."""
        return self.constant(np.array(values, np.int64), stem)

    def read(self, tensor: VendorTensor) -> np.ndarray:
        """Return a constant's data; raises ModelError if it is none."""
        return read_constant(tensor, self.model.path, padded=self.model.stage.is_integer)

    def read_integers(self, tensor: VendorTensor) -> list[int]:
        """Return a constant's elements as integers; raises ModelError."""
        return read_integers(tensor, self.model.path, padded=self.model.stage.is_integer)

    # values -----------------------------------------------------------------------------------------------------

    def value(self, tensor: VendorTensor) -> str:
        """Return the name of a tensor's value: of 4 dimensions NCHW, any other as stored."""
        if tensor.index not in self._values:
            array = self.read(tensor)
            array = array.transpose(TO_NCHW) if array.ndim == 4 else array
            self._values[tensor.index] = self.constant(array, f"{tensor.name}/constant")
        return self._values[tensor.index]

    def stored(self, tensor: VendorTensor, shape: Sequence[int] | None = None) -> str:
        """Return the name of a value with a tensor's elements in the file's order, in another ``shape`` if given."""
        if tensor.data is not None:
            array = self.read(tensor)
            return self.constant(array.reshape(shape) if shape is not None else array, f"{tensor.name}/constant")
        if tensor.index not in self._stored:
            name = self.value(tensor)
            if len(tensor.shape) == 4:
                name = self.apply("Transpose", [name], tensor.name, perm=TO_NHWC)
            self._stored[tensor.index] = name
        name = self._stored[tensor.index]
        if shape is None or tuple(shape) == tensor.shape:
            return name
        return self.apply("Reshape", [name, self.integers(shape, f"{tensor.name}/shape")], tensor.name)

    def bind(self, tensor: VendorTensor) -> str:
        """Return the name that a node must give its output to make ``tensor``'s value."""
        self._values[tensor.index] = tensor.name
        return tensor.name

    def bind_stored(self, tensor: VendorTensor, name: str) -> None:
        """Make ``tensor``'s value from a value in the file's order."""
        if len(tensor.shape) == 4:
            self.add("Transpose", [name], [self.bind(tensor)], perm=TO_NCHW)
        else:
            self.add("Identity", [name], [self.bind(tensor)])
        self._stored[tensor.index] = name

    def broadcast(self, tensor: VendorTensor, rank: int) -> str:
        """Return an operand of an elementwise operator whose output has ``rank`` dimensions, its axes in place."""
        if len(tensor.shape) == rank:
            return self.value(tensor)
        shape = (1,) * (rank - len(tensor.shape)) + tensor.shape
        if rank != 4:  # one of 4 dimensions is no image among more of them
            return self.stored(tensor, shape if tensor.data is not None else None)
        if tensor.data is not None:
            return self.constant(self.read(tensor).reshape(shape).transpose(TO_NCHW), f"{tensor.name}/constant")
        return self.apply("Transpose", [self.stored(tensor, shape)], tensor.name, perm=TO_NCHW)

    # checks -----------------------------------------------------------------------------------------------------

    def expect(self, operator: VendorOperator, tensor: VendorTensor, shape: Sequence[int]) -> None:
        """Raise ModelError unless a tensor has the shape that its operator makes."""
        if tuple(shape) != tensor.shape:
            raise ModelError(
                f"{self.model.path}: {operator.describe()}: output {tensor.name!r}: expected shape {dims(shape)} from "
                f"its inputs and options, found {dims(tensor.shape)}",
                "the file is damaged, or of another SDK: convert the model again",
            )

    def take(self, operator: VendorOperator, least: int, most: int | None = None) -> list[VendorTensor]:
        """Return an operator's inputs; raises ModelError if there are fewer than ``least`` or more than ``most``."""
        tensors: list[VendorTensor] = self.model.inputs_of(operator)
        if not operator.outputs or not least <= len(tensors) <= (least if most is None else most):
            raise ModelError(
                f"{self.model.path}: {operator.describe()}: expected {least} inputs"
                f"{'' if most is None else f' to {most}'} and an output, found {len(tensors)} and "
                f"{len(operator.outputs)}",
                "the file is damaged, or of another SDK: convert the model again",
            )
        return tensors

    def output(self, operator: VendorOperator) -> VendorTensor:
        """Return an operator's first output."""
        output: VendorTensor = self.model.tensors[operator.outputs[0]]
        return output

    def refuse(self, operator: VendorOperator, why: str, hint: str = "") -> UnsupportedOp:
        """Return the error for an operator that cannot be translated, with its tensors."""
        names = [tensor.name for tensor in self.model.inputs_of(operator)]
        made = [tensor.name for tensor in self.model.outputs_of(operator)]
        return UnsupportedOp(
            f"{self.model.path}: {operator.describe()} {why}; inputs: {', '.join(names)}; outputs: {', '.join(made)}",
            hint or "replace the operator in the original model, or compare from the tensor behind it on",
        )

    # the whole --------------------------------------------------------------------------------------------------

    def build(self, metadata: Mapping[str, str], domains: Mapping[str, int]) -> bytes:
        """Return the model: a ModelProto.

        Args:
            metadata: for ``metadata_props``.
            domains: versions of further operator domains.
        """
        for number in self.model.outputs:
            if self.model.tensors[number].data is not None or number in self.model.inputs:
                raise ModelError(
                    f"{self.model.path}: output {self.model.tensors[number].name!r} is an input or a constant",
                    "remove the output from the original model, and convert it again",
                )
        inputs = [self._declare(number, self.shape_input(number)) for number in self.model.inputs]
        outputs = [self._declare(number, self.model.tensors[number].shape) for number in self.model.outputs]
        return encode_model(self.nodes, self.initialisers, inputs, outputs, {"": _OPSET, **domains}, metadata)

    def shape_input(self, number: int) -> tuple[int, ...]:
        """Return the shape with which the model is fed, in the file's order."""
        shape: tuple[int, ...] = self.model.tensors[number].shape
        return shape

    def _declare(self, number: int, shape: Sequence[int]) -> bytes:
        """Return the type of an input or output; floating-point ones are float32."""
        tensor = self.model.tensors[number]
        element = FLOAT if tensor.dtype.kind == "f" else find_element(tensor.dtype)
        return encode_value(tensor.name, element, order_shape(shape))
