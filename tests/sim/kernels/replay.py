"""The vendor's fixed model replayed with our kernels: one operator -> the kernel's inputs and attributes (SPEC 11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from flatbuffers import number_types

from ipudebug.sim.kernels import KERNELS
from ipudebug.sim.kernels.multiplier import normalise
from tests.sim.kernels.vendor_file import VendorModel, VendorOp, VendorTensor

NAMES = {
    0: "ADD",
    1: "AVERAGE_POOL_2D",
    2: "CONCATENATION",
    3: "CONV_2D",
    4: "DEPTHWISE_CONV_2D",
    17: "MAX_POOL_2D",
    18: "MUL",
    19: "RELU",
    22: "RESHAPE",
    25: "SOFTMAX",
}
COPIES = {"Reshape_Alias": "RESHAPE", "Concatenation_Alias": "CONCATENATION"}
RELUS = (1, 3)


class Replay:
    """A fixed model with the weights of the float model it was made from."""

    def __init__(self, fixed: VendorModel, floating: VendorModel) -> None:
        self.fixed = fixed
        self._floating = floating

    def name(self, op: VendorOp) -> str:
        return COPIES[op.custom] if op.custom else NAMES[op.code]

    def run(self, op: VendorOp, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """The operator's output, of the values of its inputs."""
        name = self.name(op)
        x, y = op.inputs[0], op.outputs[0]
        arrays = [values[x.name]]
        attributes: dict[str, Any] = {"dtype": y.dtype.name, "layout": "NHWC", "y_zero": y.zero}
        if name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            arrays, more = self._convolution(op, name, arrays[0])
        elif name in ("MAX_POOL_2D", "AVERAGE_POOL_2D"):
            number = op.options.number
            more = {
                "kernel": [number(4), number(3)],
                "strides": [number(2, default=1), number(1, default=1)],
                "pads": [number(8), number(6), number(9), number(7)],
            }
        elif name in ("ADD", "MUL"):
            name, arrays, more = self._elementwise(op, name, values)
        elif name == "RELU":
            more = relu(x, y)
        elif name == "RESHAPE":
            more = {"shape": y.shape}
        elif name == "CONCATENATION":
            axis = op.options.number(0) if not op.custom else find_axis(op)
            arrays = [values[tensor.name].reshape(fit(tensor, y, axis)) for tensor in op.inputs]
            more = {"axis": axis}
        else:
            more = {"x_scale": float(x.scale[0]), "y_scale": 1 / 32768, "axis": -1}
        (found,) = KERNELS[name].compute(arrays, attributes | more)
        return found

    def _convolution(self, op: VendorOp, name: str, x: np.ndarray) -> tuple[list[np.ndarray], dict[str, Any]]:
        source, weights, bias = op.inputs
        y = op.outputs[0]
        first = 1 if name == "DEPTHWISE_CONV_2D" else 0
        number = op.options.number
        real = self._floating.tensors[weights.name].read().astype(np.float32)
        limit = np.iinfo(weights.dtype).max
        scale = weights.scale if weights.scale.size == 1 or first else weights.scale.reshape(-1, 1, 1, 1)
        integers = np.clip(np.rint(real / scale), -limit, limit).astype(weights.dtype.newbyteorder("="))
        pads = [number(slot + first) for slot in (8, 6, 9, 7)]
        explicit = number(0, number_types.Int8Flags) == 2
        rows = bias.read()
        zero = y.zero if number(3 + first, number_types.Int8Flags) in RELUS else -32768
        more = {
            "strides": [number(2, default=1), number(1, default=1)],
            "dilations": [number(5 + first, default=1), number(4 + first, default=1)],
            "pads": pads if explicit else [0, 0, 0, 0],
            "pre": number(35 + first),
            "post": number(37 + first),
            "x_zero": source.zero,
            "low": max(zero, 0 if y.dtype == np.uint8 else -32768),
        }
        if op is self.fixed.ops[0] and self.fixed.conversion:
            values = self.fixed.conversion
            conversion = {"matrix": values[:9], "offset": values[11:8:-1], "layout": "NHWC"}
            (x,) = KERNELS["INPUT_CONVERSION"].compute([x], conversion)
        return [x, integers, rows[0], rows[1]], more

    def _elementwise(
        self, op: VendorOp, name: str, values: Mapping[str, np.ndarray]
    ) -> tuple[str, list[np.ndarray], dict[str, Any]]:
        a, b = op.inputs
        y = op.outputs[0]
        if b.data.size:
            constant = b.read().reshape(-1).astype(b.dtype.newbyteorder("="))
            if name == "ADD":
                multipliers, shift = normalise([a.scale[0] / y.scale[0]])
                more = {"zeros": [a.zero], "multipliers": multipliers.tolist(), "shift": shift}
            else:  # b's scale is value / stored integer or, per channel, not that of its integers
                real = self._floating.tensors[b.name].read().reshape(-1).astype(np.float32)
                expected, shift = normalise(real * a.scale[0] / y.scale[0])
                assert np.abs(expected - constant).max() <= 1
                more = {"zeros": [a.zero], "shift": shift}
            return f"{name}_CONSTANT", [values[a.name], constant], more
        ratios = [a.scale[0] / y.scale[0], b.scale[0] / y.scale[0]] if name == "ADD" else None
        multipliers, shift = normalise(ratios if ratios else [a.scale[0] * b.scale[0] / y.scale[0]])
        more = {"zeros": [a.zero, b.zero], "multipliers": multipliers.tolist(), "shift": shift}
        return name, [values[a.name], values[b.name]], more


def relu(x: VendorTensor, y: VendorTensor) -> dict[str, Any]:
    """One step for INT16, two by way of int16 for UINT8."""
    middle = np.float32(y.largest) / np.float32(32767)
    ratios = [x.scale[0] / middle, middle / y.scale[0]] if y.dtype == np.uint8 else [x.scale[0] / y.scale[0]]
    steps = [normalise([ratio]) for ratio in ratios]
    return {
        "zeros": [x.zero],
        "multipliers": [int(m[0]) for m, _ in steps],
        "shifts": [shift for _, shift in steps],
    }


def find_axis(op: VendorOp) -> int:
    """The axis along which an alias's inputs, taken by their element counts, make the output."""
    return len(op.outputs[0].shape) - 1 if len(op.inputs) == 1 else 1


def fit(tensor: VendorTensor, y: VendorTensor, axis: int) -> list[int]:
    """The output's shape with this operand's share along the axis: its own may be from before a RESHAPE."""
    others = int(np.prod([size for i, size in enumerate(y.shape) if i != axis]))
    return [int(np.prod(tensor.shape)) // others if i == axis else size for i, size in enumerate(y.shape)]
