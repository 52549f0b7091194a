"""Runs the formulas of many nodes as one session of onnxruntime."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ipudebug.sim.kernels import KERNELS
from ipudebug.sim.kernels.formula import Formula, Operand, describe_operand
from ipudebug.sim.steps import ChainStep, encode_chain


@dataclass
class Case:
    """A node: what it is given, which of it are constants."""

    op: str
    arrays: list[np.ndarray]
    attributes: dict[str, Any]
    constants: tuple[int, ...] = ()

    def compute(self) -> list[np.ndarray]:
        return KERNELS[self.op].compute(self.arrays, self.attributes)

    def express(self, number: int) -> tuple[Formula, list[Operand]] | None:
        """The formula, if there is one."""
        operands = [
            Operand(f"{number}:{place}", array, is_constant=True)
            if place in self.constants
            else describe_operand(f"{number}:{place}", array.shape, array.dtype)
            for place, array in enumerate(self.arrays)
        ]
        formula = Formula(f"{number}")
        express = KERNELS[self.op].express
        assert express is not None
        return (formula, operands) if express(operands, self.attributes, formula) else None


def run_formulas(cases: Sequence[Case], threads: int = 2) -> list[list[np.ndarray] | None]:
    """The outputs of every case, None where it has no formula; shapes and dtypes are as announced."""
    nodes, constants, inputs, outputs = [], {}, {}, {}
    found = [case.express(number) for number, case in enumerate(cases)]
    for case, expressed in zip(cases, found, strict=True):
        if expressed is None:
            continue
        formula, operands = expressed
        read = {name for node in formula.nodes for name in node.input}
        for operand, array in zip(operands, case.arrays, strict=True):
            if operand.name in read:
                (constants if operand.is_constant else inputs)[operand.name] = array
        nodes += formula.nodes
        constants |= formula.constants
        outputs |= {made.name: made.array for made in formula.outputs}
    step = ChainStep("test", encode_chain(nodes, constants, inputs, outputs), threads, tuple(inputs), tuple(outputs), 0)
    arrays = dict(zip(outputs, step.compute(inputs, list(outputs)), strict=True))
    for name, array in arrays.items():
        assert (array.shape, array.dtype) == (outputs[name].shape, outputs[name].dtype)
    return [[arrays[made.name] for made in expressed[0].outputs] if expressed else None for expressed in found]


def check_cases(cases: Sequence[Case], threads: int = 2) -> int:
    """How many of the cases have a formula; each gives what its kernel computes."""
    count = 0
    for case, found in zip(cases, run_formulas(cases, threads), strict=True):
        if found is None:
            continue
        count += 1
        for mine, expected in zip(found, case.compute(), strict=True):
            np.testing.assert_array_equal(mine, expected, str((case.op, case.attributes)))
    return count
