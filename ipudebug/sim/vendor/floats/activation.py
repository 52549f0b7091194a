"""The activation that an operator applies to its own result."""

from __future__ import annotations

from typing import Any

import numpy as np

from ipudebug.sim.vendor.builder import GraphBuilder
from ipudebug.sim.vendor.tables import VendorTensor

_BOUNDS = {"RELU6": (0.0, 6.0), "RELU_N1_TO_1": (-1.0, 1.0)}


def add_activation(builder: GraphBuilder, activation: str, source: str, target: str) -> None:
    """Append the node of an activation by name (``RELU``, ``RELU6``, ``RELU_N1_TO_1``, ``TANH``)."""
    if activation in _BOUNDS:
        bounds = [builder.constant(np.array(bound, np.float32), f"{target}/bound") for bound in _BOUNDS[activation]]
        builder.add("Clip", [source, *bounds], [target])
    else:
        builder.add({"RELU": "Relu", "TANH": "Tanh"}[activation], [source], [target])


def add_activated(
    builder: GraphBuilder, op_type: str, inputs: list[str], output: VendorTensor, activation: str, **attributes: Any
) -> None:
    """Append a node that makes ``output``, with an activation behind it unless that is ""."""
    if not activation:
        builder.add(op_type, inputs, [builder.bind(output)], **attributes)
        return
    inner = builder.apply(op_type, inputs, output.name, **attributes)
    add_activation(builder, activation, inner, builder.bind(output))
