"""Kernels: the chip's integer arithmetic, one operator a module.

A kernel is a pure function of integer arrays and integer attributes; ``docs/simulation.md`` lists them. A module
exports ``KERNEL``; its name is the vendor's operator in lower case (``CONV_2D`` -> ``conv_2d``).

The function is the definition, written to be read. Kernels that take time also express themselves in standard ONNX,
bit for bit the same, and that is what a model runs: a chain of them becomes one session of onnxruntime.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ipudebug.registry import Registry

if TYPE_CHECKING:
    import numpy as np

    from ipudebug.sim.kernels.formula import Express

Attributes = Mapping[str, Any]
"""A node's attributes as plain Python values: int, float, str, bytes or lists of them."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """One operator.

    Attributes:
        compute: (inputs, attributes) -> outputs. Inputs may be read-only and of any stride; outputs are new, contiguous
            arrays in the output's own dtype, which the node's ``dtype`` attribute names (``uint8``, ``int16``);
            operators that only copy keep the input's. Raises ModelError for a node that does not fit its inputs.
        status: ``exact``: the chip's bits; ``inexact``: within a few steps of them, see the module.
        express: fills a formula that gives the same bits as ``compute``, see ``Express``; None: there is none.
    """

    compute: Callable[[Sequence[np.ndarray], Attributes], list[np.ndarray]]
    status: Literal["exact", "inexact"] = "exact"
    express: Express | None = None


KERNELS: Registry[Kernel] = Registry(
    __name__,
    "KERNEL",
    "kernel",
    besides=(
        "convolution",
        "elementwise",
        "formula",
        "moves",
        "multiplier",
        "node",
        "pooling",
        "rectify",
        "requantise",
        "rescaling",
        "rounding",
        "slabs",
        "sums",
        "windows",
    ),
)
