"""The fixed stage of a vendor's model -> a graph of integer nodes."""

from __future__ import annotations

from ipudebug.errors import ModelError
from ipudebug.sim.vendor.fixed_builder import DOMAIN, FixedBuilder
from ipudebug.sim.vendor.floats import list_translations
from ipudebug.sim.vendor.integers import list_lowerings
from ipudebug.sim.vendor.real_builder import RealBuilder
from ipudebug.sim.vendor.tables import VendorModel, VendorOperator


def build_fixed(model: VendorModel) -> tuple[bytes, frozenset[int]]:
    """Return a model (a ModelProto) whose activations are the chip's integers, tensors under their own names.

    Beside it, the numbers of the operators whose integers are not known to be the chip's. An operator without a kernel,
    or whose case no kernel knows, runs on the real values. Raises UnsupportedOp for one that cannot be computed at all,
    with the list of those that can.
    """
    builder = FixedBuilder(model)
    for operator in model.operators:
        _lower_operator(builder, operator)
    built = builder.build({"source": f"{model.description}, {model.sdk}"}, {DOMAIN: 1})
    return built, frozenset(builder.inexact)


def judge_operators(model: VendorModel) -> list[str]:
    """Return for each operator of a fixed model whether its integers are ``exact``, ``inexact`` or ``not computed``."""
    builder = FixedBuilder(model)
    return [_judge(builder, operator) for operator in model.operators]


def _judge(builder: FixedBuilder, operator: VendorOperator) -> str:
    """Append one operator and return how far its integers can be trusted."""
    try:
        _lower_operator(builder, operator)
    except ModelError:
        for tensor in builder.model.outputs_of(operator):
            builder.bind(tensor)
        return "not computed"
    return "inexact" if operator.index in builder.inexact else "exact"


def _lower_operator(builder: FixedBuilder, operator: VendorOperator) -> None:
    """Append one operator: with kernels where they fit, else on real values; raises ModelError."""
    lower = list_lowerings().get(operator.type)
    if lower is None or not lower(builder, operator):
        _run_on_reals(builder, operator)


def _run_on_reals(builder: FixedBuilder, operator: VendorOperator) -> None:
    """Append an operator that runs on real values."""
    builder.mark_inexact(operator)
    known = list_translations()
    if operator.type not in known:
        raise builder.refuse(operator, "is not known here", f"known operators: {', '.join(sorted(known))}")
    real = RealBuilder(builder, operator)
    known[operator.type](real, operator)
    real.requantise()
