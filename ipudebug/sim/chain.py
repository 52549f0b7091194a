"""Consecutive nodes that express themselves in standard ONNX, while a fixed model is being planned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ipudebug.errors import ModelError, NodeFailed
from ipudebug.sim.kernels.formula import Formula, Operand, describe_operand
from ipudebug.sim.kernels.moves import express_move
from ipudebug.sim.steps import ChainStep, KernelNode, Values, encode_chain, label_node

if TYPE_CHECKING:
    from onnx import NodeProto

LARGEST = 32 << 20
"""Bytes of weights and outputs after which a chain ends, so that memory does not grow with the model."""


class Chain:
    """A growing chain.

    Args:
        constants: of the model.
        threads: of the session; 0 leaves it to onnxruntime.
    """

    def __init__(self, constants: Values, threads: int) -> None:
        """Begin without nodes."""
        self._all_constants = constants
        self._threads = threads
        self._label = ""
        self._nodes: list[NodeProto] = []
        self._constants: dict[str, np.ndarray] = {}
        self._inputs: dict[str, np.ndarray] = {}
        self._made: dict[str, np.ndarray] = {}
        self._bytes = 0

    def __bool__(self) -> bool:
        """Whether there are nodes."""
        return bool(self._nodes)

    @property
    def is_full(self) -> bool:
        """Whether it should end here."""
        return self._bytes > LARGEST

    def take(self, node: NodeProto, kernel: KernelNode | None, values: Values) -> bool:
        """Append a node, if it expresses itself; raises NodeFailed for one that does not fit its inputs.

        Args:
            node: the node.
            kernel: the same, of the domain ``ipudebug``; None for one of standard ONNX.
            values: what was computed before this chain.
        """
        if kernel is not None and kernel.kernel.express is None:
            return False
        operands = [self._find(name, values) for name in node.input]
        formula = Formula(node.output[0])
        if kernel is None:
            is_expressed = express_move(node, operands, formula)
        else:
            assert kernel.kernel.express is not None
            try:
                is_expressed = kernel.kernel.express(operands, kernel.attributes, formula)
            except ModelError as error:
                raise NodeFailed(f"{kernel.label}: {error.message}", error.hint) from None
        if is_expressed:
            self._append(node, operands, formula)
        return is_expressed

    def close(self, is_kept: Callable[[str], bool], stop: int) -> ChainStep:
        """Return the chain as a step, which ends it; ``is_kept`` tells what is read later or shown."""
        outputs = {name: array for name, array in self._made.items() if is_kept(name)}
        model = encode_chain(self._nodes, self._constants, self._inputs, outputs)
        return ChainStep(self._label, model, self._threads, tuple(self._inputs), tuple(outputs), stop)

    def _find(self, name: str, values: Values) -> Operand:
        """Return an operand: a constant, or what is known of an activation."""
        if name in self._all_constants:
            return Operand(name, self._all_constants[name], is_constant=True)
        array = self._made[name] if name in self._made else values[name]
        return describe_operand(name, array.shape, array.dtype)

    def _append(self, node: NodeProto, operands: Sequence[Operand], formula: Formula) -> None:
        """Take up the nodes of a formula; its outputs get their names of the model."""
        names = {made.name: name for made, name in zip(formula.outputs, node.output, strict=True)}
        read = set()
        for part in formula.nodes:
            read.update(part.input)
            for field in (part.input, part.output):
                for place, name in enumerate(field):
                    field[place] = names.get(name, name)
        self._label = self._label or label_node(node)
        self._nodes += formula.nodes
        self._constants |= formula.constants
        self._made |= {names[made.name]: made.array for made in formula.outputs}
        for operand in operands:
            if operand.name in read and operand.is_constant:
                self._constants[operand.name] = operand.array
            elif operand.name in read and operand.name not in self._made:
                self._inputs[operand.name] = operand.array
        self._bytes += sum(array.nbytes for array in formula.constants.values())
        self._bytes += sum(made.array.size * made.array.itemsize for made in formula.outputs)
