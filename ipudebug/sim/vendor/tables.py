"""A vendor's model as plain facts: what the tables of its FlatBuffer say, checked against each other (SPEC 10.2)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ipudebug.errors import ModelError
from ipudebug.sim.model import Stage
from ipudebug.sim.vendor.flatbuffer import Table

NO_OPTIONS = "the options cannot be read"


@dataclass(frozen=True, slots=True, eq=False)
class VendorTensor:
    """One tensor, as the file has it.

    Attributes:
        index: its number in the file.
        name: as in a dump.
        shape: NHWC where it has 4 dimensions.
        dtype: of its elements in this file; in a float model everything is float32 but shape constants.
        data: the bytes of a constant; None for what operators make.
        minimum, maximum, scale: float32, one or one per channel; empty where the file has none.
        zero_point: int64, likewise.
        memory_layout: how it lies in the chip's memory (``opcodes.MEMORY_LAYOUTS``).
        memory: first byte and the one behind the last in the chip's variable buffer.
        flag: 1 graph input, 2 graph output, 16 variable, 0 constant or other.
        target: the number of the type that it has in the fixed model.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    data: np.ndarray | None
    minimum: np.ndarray
    maximum: np.ndarray
    scale: np.ndarray
    zero_point: np.ndarray
    memory_layout: int
    memory: tuple[int, int]
    flag: int
    target: int

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


class VendorOperator:
    """One operator, as the file has it.

    Attributes:
        index: its number in the file.
        type: the name that a dump shows, ``CONV_2D`` or a custom operator's.
        inputs, outputs: numbers of tensors; an input that is left out is -1.
        options_type: number of the options' table.
        domain: ``opcodes.DOMAINS``.
        custom_options: the bytes of a custom operator's options.
    """

    def __init__(self, index: int, type_: str, table: Table, path: str) -> None:
        """Read the lists of tensors; the options are read when they are asked for."""
        self.index = index
        self.type = type_
        self.inputs = tuple(table.array(1, "<i4").tolist())
        self.outputs = tuple(table.array(2, "<i4").tolist())
        self.options_type = table.integer(3, "B")
        self.domain = table.integer(8)
        self._table = table
        self._path = path

    @property
    def options(self) -> Table:
        """The table of options; raises ModelError where there is none, or only a dangling reference."""
        options = self._table.table(4, f"{self.describe()}: {NO_OPTIONS}")
        if options is None:
            raise ModelError(f"{self._path}: {self.describe()} has no options", "convert the model again")
        return options

    @property
    def optional_options(self) -> Table | None:
        """The table of options; None where there is none, or only a dangling reference, as some operators have."""
        try:
            return self._table.table(4, f"{self.describe()}: {NO_OPTIONS}")
        except ModelError:
            return None

    @property
    def custom_options(self) -> bytes:
        """The bytes of a custom operator's options."""
        return self._table.array(5, "u1").tobytes()

    def describe(self) -> str:
        """Return the operator as messages name it: ``CONV_2D (operator 3)``."""
        return f"{self.type} (operator {self.index})"


@dataclass(frozen=True, slots=True)
class VendorModel:
    """A vendor's model, checked: every number refers to something, every tensor has one maker.

    Attributes:
        path: the file.
        stage: how far the model has come.
        version: of the schema.
        description: the text that names the stage.
        sdk: version of the toolchain.
        tensors, operators: in the file's order.
        inputs, outputs: numbers of tensors.
        input_formats, training_formats: numbers (``opcodes.IMAGE_FORMATS``), one per input.
        conversions: per input, nine coefficients and three offsets of the first layer's conversion; may be shorter.
        memory_size: bytes of the variable buffer.
    """

    path: str
    stage: Stage
    version: int
    description: str
    sdk: str
    tensors: tuple[VendorTensor, ...]
    operators: tuple[VendorOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    input_formats: tuple[int, ...]
    training_formats: tuple[int, ...]
    conversions: tuple[tuple[int, ...], ...]
    memory_size: int

    def inputs_of(self, operator: VendorOperator) -> list[VendorTensor]:
        """Return an operator's inputs without those that are left out."""
        return [self.tensors[index] for index in operator.inputs if index >= 0]

    def outputs_of(self, operator: VendorOperator) -> list[VendorTensor]:
        """Return an operator's outputs."""
        return [self.tensors[index] for index in operator.outputs]

    def list_domains(self) -> Iterator[list[VendorOperator]]:
        """Yield the groups of operators that are executed as one unit; in a float model every operator is one."""
        from ipudebug.sim.vendor.opcodes import MEMBERS

        group: list[VendorOperator] = []
        for operator in self.operators:
            if group and operator.domain not in MEMBERS:
                yield group
                group = []
            group.append(operator)
        if group:
            yield group
