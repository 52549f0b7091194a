"""The float stages of a vendor's model -> a standard ONNX graph."""

from __future__ import annotations

from ipudebug.sim.vendor.builder import GraphBuilder
from ipudebug.sim.vendor.floats import list_translations
from ipudebug.sim.vendor.tables import VendorModel


def build_float(model: VendorModel) -> bytes:
    """Return a ModelProto that computes what a float or cmodel float .sim computes, its tensors under their own names.

    Raises UnsupportedOp for an operator that cannot be translated, with the list of those that can.
    """
    builder = GraphBuilder(model)
    known = list_translations()
    for operator in model.operators:
        if operator.type not in known:
            raise builder.refuse(operator, "is not known here", f"known operators: {', '.join(sorted(known))}")
        known[operator.type](builder, operator)
    return builder.build({"source": f"{model.description}, {model.sdk}"}, {})
