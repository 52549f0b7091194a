"""Operators without an integer kernel: on the real values, dequantise -> float operator -> requantise (SPEC 11.5)."""

from __future__ import annotations

import numpy as np

from ipudebug.sim.vendor.builder import GraphBuilder
from ipudebug.sim.vendor.fixed_builder import FixedBuilder
from ipudebug.sim.vendor.operations import read_quantisation
from ipudebug.sim.vendor.options import read_convolution
from ipudebug.sim.vendor.tables import VendorOperator, VendorTensor
from ipudebug.sim.vendor.weights import decode_weights

_BLOCKED = (10, 13)
_QUANTISED = ("uint8", "int8", "int16")


class RealBuilder(GraphBuilder):
    """A view of a fixed graph in which every value is the real one; it appends to that graph.

    Results are requantised with floor(x / scale + 0.5) + zero point, clipped to the output's type.
    """

    def __init__(self, fixed: FixedBuilder, operator: VendorOperator) -> None:
        """Share nodes, initialisers and names with ``fixed``; ``operator`` is the one to be translated."""
        super().__init__(fixed.model)
        self.nodes, self.initialisers, self._names = fixed.nodes, fixed.initialisers, fixed._names
        self._fixed = fixed
        self._operator = operator
        self._values = {}
        self._made: dict[int, str] = {}

    def read(self, tensor: VendorTensor) -> np.ndarray:
        """Return a constant's real values: (q - zero point) scale; of integers without a scale these themselves."""
        array = self._decode(tensor) if tensor.memory_layout in _BLOCKED else super().read(tensor)
        quant = read_quantisation(tensor, self._operator.type == "DEPTHWISE_CONV_2D")
        if quant is None or array.dtype.kind == "f":
            return array.astype(np.float32) if array.dtype.name in _QUANTISED else array
        scale, zero = np.array(quant.scale, np.float32), np.array(quant.zero_point, np.float32)
        if quant.axis is not None:
            if array.ndim == 0 or array.shape[quant.axis] != len(scale):
                raise self.refuse(self._operator, f"has {len(scale)} scales for a constant of {list(array.shape)}")
            along = [-1 if axis == quant.axis else 1 for axis in range(array.ndim)]
            scale, zero = scale.reshape(along), zero.reshape(along)
        return np.asarray((array.astype(np.float32) - zero) * scale, np.float32)

    def _decode(self, tensor: VendorTensor) -> np.ndarray:
        """Return weights in order, with the tiles that the operator's options state."""
        depthwise = self._operator.type == "DEPTHWISE_CONV_2D"
        options = read_convolution(self._operator, tensor.shape[1:3], (1, 1), self.model.path)
        return decode_weights(tensor, options.tiles, self.model.path, depthwise=depthwise)

    def value(self, tensor: VendorTensor) -> str:
        """Return the name of a tensor's real value."""
        if tensor.data is not None:
            return super().value(tensor)
        if tensor.index not in self._values:
            name = self._fixed.value(tensor)
            if tensor.dtype.name in ("uint8", "int16"):
                name = self._dequantise(tensor, name)
            self._values[tensor.index] = name
        return self._values[tensor.index]

    def _dequantise(self, tensor: VendorTensor, name: str) -> str:
        """Append (q - zero) scale in float32."""
        zero = self.constant(np.float32(self._fixed.zero(tensor)).reshape(()), f"{tensor.name}/zero")
        scale = self.constant(self._fixed.scale(tensor).reshape(()), f"{tensor.name}/scale")
        real = self.apply("Sub", [self.apply("Cast", [name], tensor.name, to=1), zero], tensor.name)
        return self.apply("Mul", [real, scale], tensor.name)

    def bind(self, tensor: VendorTensor) -> str:
        """Return the name for a node's real result; ``requantise`` makes the tensor's value from it."""
        if tensor.dtype.name not in ("uint8", "int16"):
            return self._fixed.bind(tensor)
        return self._made.setdefault(tensor.index, self.invent(f"{tensor.name}/real"))

    def requantise(self) -> None:
        """Append what turns the real results into the integers of their tensors."""
        for index, name in self._made.items():
            tensor = self.model.tensors[index]
            limits = np.iinfo(tensor.dtype)
            numbers: dict[str, float] = {
                "scale": float(self._fixed.scale(tensor)),
                "half": 0.5,
                "zero": self._fixed.zero(tensor),
                "low": int(limits.min),
                "high": int(limits.max),
            }
            scale, half, zero, low, high = (
                self.constant(np.float32(number).reshape(()), f"{tensor.name}/{word}")
                for word, number in numbers.items()
            )
            steps = self.apply("Add", [self.apply("Div", [name, scale], tensor.name), half], tensor.name)
            steps = self.apply("Add", [self.apply("Floor", [steps], tensor.name), zero], tensor.name)
            steps = self.apply("Clip", [steps, low, high], tensor.name)
            element = 2 if tensor.dtype == np.uint8 else 5  # ONNX's UINT8, INT16
            self.add("Cast", [steps], [self._fixed.bind(tensor)], to=element)
