"""The fixed model in the making: units of integer nodes, the quantisation of every tensor, constants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ipudebug.sim.kernels import KERNELS
from ipudebug.sim.kernels.multiplier import normalise
from ipudebug.sim.quantisation import INT16, TensorQuant, make_quant
from ipudebug.tensor import QuantParams

if TYPE_CHECKING:
    from onnx import NodeProto

    from ipudebug.sim.compensation.moments import Moments
    from ipudebug.sim.network import FloatNetwork, FloatNode

DOMAIN = "ipudebug"
Channels = tuple[np.ndarray, np.ndarray]
"""Smallest and largest value of each channel."""


@dataclass
class Unit:
    """One operator of the fixed model: a kernel's node, or the nodes around one that is computed on real numbers.

    Attributes:
        op_type: as a dump shows it.
        nodes: in execution order.
        inputs, outputs: tensors that a dump shows.
        is_exact: whether it computes the chip's own bits, as far as is known.
    """

    op_type: str
    nodes: list[NodeProto]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    is_exact: bool


@dataclass(frozen=True)
class Parameters:
    """What calibration found out.

    Attributes:
        quants: of every activation of the float model.
        channels: name of a convolution's own output -> the range of each of its channels.
        weights: name of a weight -> the ranges to scale it by, one per output channel; others are measured.
        per_channel: whether each output channel of a weight has its own scale.
        read: name of a convolution's own output -> what it reads, where it is to be compensated.
        names: constant of the graph -> what a dump of the float model calls it, where that is another name.
    """

    quants: Mapping[str, TensorQuant]
    channels: Mapping[str, Channels]
    weights: Mapping[str, Channels] = field(default_factory=dict)
    per_channel: bool = True
    read: Mapping[str, Moments] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


class FixedGraph:
    """Collects the units of a fixed model.

    Args:
        network: the float model.
        parameters: what calibration found out.

    Attributes:
        units: in execution order.
        quants: how every activation is stored.
        constants: arrays of weights and other constants, by name.
        constant_quants: how the constants among them are stored that stand for real numbers.
        weight_ranges: the ranges of weights that their scales were made of.
        renamed: input of the model -> what is made of it, under which name all nodes read it.
    """

    def __init__(self, network: FloatNetwork, parameters: Parameters) -> None:
        """Begin with nothing but the quantisation of the float model's tensors."""
        self.network = network
        self.parameters = parameters
        self.units: list[Unit] = []
        self.quants: dict[str, TensorQuant] = dict(parameters.quants)
        self.constants: dict[str, np.ndarray] = {}
        self.constant_quants: dict[str, QuantParams] = {}
        self.weight_ranges: dict[str, Channels] = {}
        self.renamed: dict[str, str] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._brought: dict[tuple[str, TensorQuant], str] = {}
        self._taken = {*network.inputs, *(name for node in network.nodes for name in node.outputs)}

    def invent(self, stem: str) -> str:
        """Return a name that no other tensor has."""
        name, number = stem, 1
        while name in self._taken:
            number += 1
            name = f"{stem}_{number}"
        self._taken.add(name)
        return name

    def make_tensor(self, stem: str, quant: TensorQuant, shape: Sequence[int]) -> str:
        """Return the name of a new activation."""
        name = self.invent(stem)
        self.quants[name] = quant
        self._shapes[name] = tuple(shape)
        return name

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an activation, of the float model or made here."""
        return self._shapes.get(name) or self.network.shape(name)

    def name_constant(self, name: str) -> str:
        """Return what a constant of the float model is called in a dump."""
        return self.parameters.names.get(name, name)

    def add_constant(self, stem: str, array: np.ndarray, quant: QuantParams | None = None) -> str:
        """Take up a constant and return its name: ``stem``, with a number where another array or tensor has it."""
        known = self.constants.get(stem)
        if known is not None and known.dtype == array.dtype and np.array_equal(known, array):
            return stem
        name = self.invent(stem)
        self.constants[name] = np.asarray(array, order="C")
        if quant is not None:
            self.constant_quants[name] = quant
        return name

    def add_scalar(self, value: np.generic) -> str:
        """Return the name of a scalar that every node may share."""
        name = f"{value}#{value.dtype}"
        if name not in self.constants:
            self._taken.add(name)
            self.constants[name] = np.asarray(value)
        return name

    def add(
        self, op_type: str, node: FloatNode, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any
    ) -> None:
        """Append a node of a kernel as a unit of its own; ``node`` is what it is made of."""
        from onnx import helper

        proto = helper.make_node(op_type, list(inputs), list(outputs), name=node.label, domain=DOMAIN, **attributes)
        shown = op_type.removesuffix("_CONSTANT")
        is_exact = KERNELS[op_type].status == "exact"
        self.units.append(Unit(shown, [proto], tuple(inputs), tuple(outputs), is_exact))

    def add_copy(self, op_type: str, node: FloatNode, source: str, outputs: Sequence[str], **attributes: Any) -> None:
        """Append a kernel that copies: ``source`` is brought into the form of the output first."""
        self.add(op_type, node, [self.bring(source, self.quants[outputs[0]], node)], outputs, **attributes)

    def add_rescaling(
        self,
        node: FloatNode,
        source: str,
        output: str,
        factor: np.ndarray | float = 1.0,
        *,
        name: str = "",
        limits: Mapping[str, int] | None = None,
    ) -> None:
        """Append output = source * factor, a constant of a shape that broadcasts to the source.

        ``name`` is what the constant is called, if it has a name; ``limits`` are ``low`` and ``high`` of the output.
        """
        x, y = self.quants[source], self.quants[output]
        ratios = np.asarray(factor, np.float32) * np.float32(x.scale) / np.float32(y.scale)
        values, shift = normalise(ratios)
        stored = np.atleast_1d(values.astype(np.int16))
        constant = self.add_constant(name or f"{output}#factor", stored)
        self.add(
            "MUL_CONSTANT", node, [source, constant], [output], zeros=[x.zero], shift=shift, layout="NCHW",
            **describe_output(y), **(limits or {}),
        )  # fmt: skip

    def bring(self, name: str, quant: TensorQuant, node: FloatNode) -> str:
        """Return the name of a tensor stored as ``quant`` says: itself, or multiplied by one as the vendor does it."""
        if self.quants[name].is_like(quant):
            return name
        key = name, quant
        if key not in self._brought:
            made = self.make_tensor(f"{name}#{quant.dtype}", quant, self.shape(name))
            self.add_rescaling(node, name, made)
            self._brought[key] = made
        return self._brought[key]

    def bring_int16(self, name: str, node: FloatNode) -> str:
        """Return the name of a tensor as INT16."""
        quant = self.quants[name]
        return name if quant.dtype == INT16 else self.bring(name, make_quant(quant.range, INT16), node)

    def add_stored(self, name: str) -> tuple[str, TensorQuant]:
        """Return a constant of the float model as an INT16 operand, and how it is stored."""
        from ipudebug.sim.quantisation import Range

        values = self.network.constant(name)
        assert values is not None
        quant = make_quant(Range(float(values.min()), float(values.max())), INT16)
        return self.add_constant(f"{name}#int16", quant.quantise(values), quant.params), quant


def describe_output(quant: TensorQuant) -> dict[str, Any]:
    """Return the attributes by which every kernel that rescales knows its output."""
    return {"dtype": quant.dtype.name, "y_zero": quant.zero}
