"""What a model file says about itself, whoever wrote it: the facts behind ``ipudebug inspect``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class InputFacts:
    """One input: its tensor's name, and how the board is fed with it, "" where the file does not say."""

    name: str
    training_format: str = ""
    input_format: str = ""
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class TensorFacts:
    """One tensor.

    Attributes:
        name: of the tensor.
        shape: a dimension is a number or, where it is not fixed, its name; None where the file does not say.
        dtype: name of the element type; "" where the file does not say.
        constant: whether its data stands in the file.
        minimum, maximum: of its range, one or one per channel; empty without any.
        scale, zero_point: likewise.
        memory_layout: how it lies in the chip's memory, "" where the file does not say.
        memory: first byte, and the one behind the last, in the chip's variable buffer; None without one.
        values: of a short list of integers that stands in the file: a shape, axes, pads.
    """

    name: str
    shape: tuple[int | str, ...] | None = None
    dtype: str = ""
    constant: bool = False
    minimum: tuple[float, ...] = ()
    maximum: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()
    zero_point: tuple[int, ...] = ()
    memory_layout: str = ""
    memory: tuple[int, int] | None = None
    values: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class OperatorFacts:
    """One operator.

    Attributes:
        index: execution order.
        type: name of the operator.
        name: of the node or layer; "" where the format has none.
        domain: number of the domain that it is executed in, the ``N`` of ``op_out[N]`` in a dump; None outside fixed
            models.
        role: what it is in its domain, in words.
        status: of its integers in a simulation: ``exact`` (the chip's), ``inexact``, ``not computed``; "" where there
            are none.
        inputs, outputs: names of tensors.
        options: name -> value, as text.
    """

    index: int
    type: str
    name: str = ""
    domain: int | None = None
    role: str = ""
    status: str = ""
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A model.

    Attributes:
        path: the file.
        what: kind of file, in words: ``a fixed model of the vendor's``.
        stage: ``float``, ``cmodel float``, ``fixed``, ``offline``; "" for an original model.
        version: of what wrote it, or of its operators.
        chip: soc_version; "" where the file does not say.
        inputs: the model's inputs.
        outputs: names of its outputs.
        operators: in execution order.
        tensors: by name.
    """

    path: str
    what: str
    stage: str
    version: str
    chip: str
    inputs: tuple[InputFacts, ...]
    outputs: tuple[str, ...]
    operators: tuple[OperatorFacts, ...]
    tensors: Mapping[str, TensorFacts]
