"""The fixed stage of a vendor's model -> a graph of integer nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipudebug.sim.vendor.builder import order_shape
from ipudebug.sim.vendor.fixed_builder import DOMAIN, FixedBuilder
from ipudebug.sim.vendor.floats import list_translations
from ipudebug.sim.vendor.integers import list_lowerings
from ipudebug.sim.vendor.real_builder import RealBuilder
from ipudebug.sim.vendor.tables import VendorModel, VendorOperator

if TYPE_CHECKING:
    import onnx


def build_fixed(model: VendorModel) -> onnx.ModelProto:
    """Return a model whose activations are the chip's integers, tensors under their own names.

    An operator without a kernel, or whose case no kernel knows, runs on the real values. Raises UnsupportedOp for one
    that cannot be computed at all, with the list of those that can.
    """
    from onnx import TensorProto, helper

    builder = FixedBuilder(model)
    lowerings = list_lowerings()
    for operator in model.operators:
        if operator.type not in lowerings or not lowerings[operator.type](builder, operator):
            _run_on_reals(builder, operator)
    built = builder.build({"source": f"{model.description}, {model.sdk}"}, TensorProto.FLOAT, {DOMAIN: 1})
    for place, number in enumerate(model.inputs):
        tensor = model.tensors[number]
        kind = helper.np_dtype_to_tensor_dtype(tensor.dtype)
        shape = order_shape(builder.shape_input(number))
        built.graph.input[place].CopyFrom(helper.make_tensor_value_info(tensor.name, kind, shape))
    return built


def _run_on_reals(builder: FixedBuilder, operator: VendorOperator) -> None:
    """Append an operator that runs on real values."""
    known = list_translations()
    if operator.type not in known:
        raise builder.refuse(operator, "is not known here", f"known operators: {', '.join(sorted(known))}")
    real = RealBuilder(builder, operator)
    known[operator.type](real, operator)
    real.requantise()
