"""What a dump of a vendor's model shows: its operations in their order, and facts and data of their tensors."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

from ipudebug.sim.model import Operation
from ipudebug.sim.vendor.constants import read_constant
from ipudebug.sim.vendor.opcodes import IMAGE_FORMATS
from ipudebug.sim.vendor.tables import VendorModel, VendorOperator, VendorTensor
from ipudebug.tensor import Layout, QuantParams, TensorInfo

SOFTMAX_SCALE = 1 / 32768
"""What one step of a fixed SOFTMAX's output stands for in a dump, whatever scale the file states (SPEC 6.1)."""
_DEPTHWISE = "DEPTHWISE_CONV_2D"


def list_operations(model: VendorModel, inexact: Collection[int] = ()) -> tuple[Operation, ...]:
    """Return one operation per domain: the head's type and inputs, the last member's type and outputs.

    ``inexact`` are the numbers of the operators whose integers are not known to be the chip's.
    """
    operations = []
    for index, group in enumerate(model.list_domains()):
        head, last = group[0], group[-1]
        inputs = tuple(tensor.name for tensor in model.inputs_of(head))
        outputs = tuple(tensor.name for tensor in model.outputs_of(last))
        doubtful = tuple(operator.type for operator in group if operator.index in inexact)
        operations.append(Operation(index, head.type, last.type, inputs, outputs, doubtful))
    return tuple(operations)


def list_tensors(model: VendorModel, operations: Iterable[Operation]) -> dict[str, TensorInfo]:
    """Return the facts of every tensor that a dump shows; 4-D ones are NHWC.

    ``quant`` is set in fixed models where the file has scales; that of a SOFTMAX's output is what a dump uses.
    """
    shown = {name for operation in operations for name in (*operation.inputs, *operation.outputs)}
    makers = {number: operator for operator in model.operators for number in operator.outputs}
    depthwise = {
        number for operator in model.operators if operator.type == _DEPTHWISE for number in operator.inputs[1:2]
    }
    infos = {}
    for tensor in model.tensors:
        if tensor.name in shown:
            maker = makers.get(tensor.index)
            quant = read_quantisation(tensor, tensor.index in depthwise) if model.stage.is_integer else None
            if quant is not None and maker is not None and maker.type == "SOFTMAX" and tensor.dtype == np.int16:
                quant = QuantParams((SOFTMAX_SCALE,), (0,))
            infos[tensor.name] = _describe(tensor, quant, maker)
    return infos


def read_quantisation(tensor: VendorTensor, depthwise: bool = False) -> QuantParams | None:
    """Return scales and zero points as the file has them; None where it has no scale."""
    scales = tuple(float(scale) for scale in tensor.scale)
    if not scales:
        return None
    zeros = tuple(int(zero) for zero in tensor.zero_point)
    zeros = zeros if len(zeros) == len(scales) else (zeros[:1] or (0,)) * len(scales)
    axis = None if len(scales) == 1 else len(tensor.shape) - 1 if depthwise else 0
    return QuantParams(scales, zeros, axis)


def _describe(tensor: VendorTensor, quant: QuantParams | None, maker: VendorOperator | None) -> TensorInfo:
    """Return the facts of one tensor."""
    return TensorInfo(
        tensor.name,
        tensor.shape,
        tensor.dtype,
        quant,
        Layout.NHWC if len(tensor.shape) == 4 else None,
        op_type=maker.type if maker is not None else "",
        op_index=maker.index if maker is not None else 0,
        constant=tensor.data is not None,
    )


def list_constants(model: VendorModel, infos: dict[str, TensorInfo]) -> dict[str, np.ndarray]:
    """Return the data of the constants that a dump shows, weights in the order in which they lie in the file."""
    return {
        tensor.name: read_constant(tensor, model.path, padded=model.stage.is_integer)
        for tensor in model.tensors
        if tensor.data is not None and tensor.name in infos
    }


def name_format(numbers: tuple[int, ...], place: int) -> str:
    """Return the name of an input's image format; "" where the file has no number that is known."""
    return IMAGE_FORMATS.get(numbers[place], "") if place < len(numbers) else ""
