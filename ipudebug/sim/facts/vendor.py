"""Facts of a vendor's .sim of any stage, also of one with operators that cannot be run."""

from __future__ import annotations

import numpy as np

from ipudebug.errors import ModelError
from ipudebug.sim.facts import InputFacts, ModelFacts, OperatorFacts, TensorFacts
from ipudebug.sim.facts.options import read_named_options
from ipudebug.sim.vendor.constants import read_integers
from ipudebug.sim.vendor.fixed_graph import judge_operators
from ipudebug.sim.vendor.opcodes import DOMAINS, MEMORY_LAYOUTS
from ipudebug.sim.vendor.operations import name_format
from ipudebug.sim.vendor.options import read_convolution, read_pool
from ipudebug.sim.vendor.parse import parse_sim
from ipudebug.sim.vendor.tables import VendorModel, VendorOperator, VendorTensor

_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
_POOLS = ("AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D")
_MOST_VALUES = 16


def gather_vendor(path: str, what: str) -> ModelFacts:
    """Return the facts of a .sim; raises ModelError."""
    model = parse_sim(path)
    domains = {operator.index: number for number, group in enumerate(model.list_domains()) for operator in group}
    formats = [
        InputFacts(
            model.tensors[number].name,
            name_format(model.training_formats, place),
            name_format(model.input_formats, place),
        )
        for place, number in enumerate(model.inputs)
    ]
    return ModelFacts(
        path=path,
        what=what,
        stage=model.stage.value,
        version=model.sdk,
        chip="",
        inputs=tuple(formats),
        outputs=tuple(model.tensors[number].name for number in model.outputs),
        operators=tuple(
            _describe_operator(model, operator, domains, status)
            for operator, status in zip(model.operators, _judge(model), strict=True)
        ),
        tensors={tensor.name: _describe_tensor(model, tensor) for tensor in model.tensors},
    )


def _judge(model: VendorModel) -> list[str]:
    """Return how far each operator's integers can be trusted; "" for all of a float model."""
    try:
        return judge_operators(model) if model.stage.is_integer else [""] * len(model.operators)
    except ModelError:
        return ["not computed"] * len(model.operators)  # its inputs already are of a kind that is not known


def _describe_operator(
    model: VendorModel, operator: VendorOperator, domains: dict[int, int], status: str
) -> OperatorFacts:
    """Return the facts of one operator."""
    return OperatorFacts(
        index=operator.index,
        type=operator.type,
        domain=domains[operator.index] if model.stage.is_integer else None,
        role=DOMAINS.get(operator.domain, f"domain type {operator.domain}") if model.stage.is_integer else "",
        status=status,
        inputs=tuple(tensor.name for tensor in model.inputs_of(operator)),
        outputs=tuple(tensor.name for tensor in model.outputs_of(operator)),
        options=_read_options(model, operator),
    )


def _read_options(model: VendorModel, operator: VendorOperator) -> dict[str, str]:
    """Return the options of an operator; none where they cannot be read."""
    tensors = model.inputs_of(operator)
    try:
        if operator.type in _CONVOLUTIONS and len(tensors) > 1 and len(tensors[0].shape) == len(tensors[1].shape) == 4:
            found = read_convolution(operator, tensors[1].shape[1:3], tensors[0].shape[1:3], model.path)
            window, activation = found.window, found.activation
            fixed = {"pre": str(found.pre), "post": str(found.post), "tiles": _join(found.tiles)}
        elif operator.type in _POOLS and tensors and len(tensors[0].shape) == 4:
            window, activation = read_pool(operator, tensors[0].shape[1:3], model.path)
            fixed = {}
        else:
            options = operator.optional_options
            return read_named_options(operator.type, options) if options is not None else {}
    except ModelError:
        return {}
    shown = {
        "kernel": _join(window.kernel),
        "strides": _join(window.strides),
        "dilations": _join(window.dilations),
        "pads top left bottom right": _join(window.pads),
        "activation": activation or "none",
    }
    return shown | (fixed if model.stage.is_integer else {})


def _join(numbers: tuple[int, ...]) -> str:
    """Return numbers as text."""
    return " ".join(map(str, numbers))


def _describe_tensor(model: VendorModel, tensor: VendorTensor) -> TensorFacts:
    """Return the facts of one tensor."""
    layout = tensor.memory_layout
    return TensorFacts(
        name=tensor.name,
        shape=tensor.shape,
        dtype=tensor.dtype.name,
        constant=tensor.data is not None,
        minimum=tuple(map(float, tensor.minimum)),
        maximum=tuple(map(float, tensor.maximum)),
        scale=tuple(map(float, tensor.scale)),
        zero_point=tuple(map(int, tensor.zero_point)),
        memory_layout=MEMORY_LAYOUTS.get(layout, f"layout {layout}"),
        memory=tensor.memory if tensor.memory[1] > tensor.memory[0] else None,
        values=_read_values(model, tensor),
    )


def _read_values(model: VendorModel, tensor: VendorTensor) -> tuple[int, ...]:
    """Return the elements of a short list of integers; none of any other tensor."""
    if tensor.data is None or tensor.dtype != np.int32 or tensor.size > _MOST_VALUES:
        return ()
    try:
        return tuple(read_integers(tensor, model.path, padded=model.stage.is_integer))
    except ModelError:
        return ()
