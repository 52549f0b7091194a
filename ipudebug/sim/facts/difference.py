"""What two models differ in: operators that were fused, left out or added; tensors whose facts changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ipudebug.sim.facts import InputFacts, ModelFacts, OperatorFacts, TensorFacts
from ipudebug.sim.operations import SHOWN_AS


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference.

    Attributes:
        kind: of the whole ``model``; of operators ``fused`` (into another one, or into a domain that shows only its
            last tensor), ``unfused``, ``gone``, ``added``, ``operator`` (another type); of tensors ``shape``, ``type``,
            ``range``, ``scale``, ``zero point``.
        where: the tensor that it is about, an operator being known by what it makes.
        first, second: how it is in either model.
    """

    kind: str
    where: str
    first: str
    second: str


def find_differences(first: ModelFacts, second: ModelFacts) -> Iterator[Difference]:
    """Yield what the second model has otherwise than the first: of the whole, of operators, of tensors.

    Operators are paired by the tensors that they make, tensors by name.
    """
    for word in ("what", "stage", "version", "chip"):
        a, b = getattr(first, word), getattr(second, word)
        if a != b:
            yield Difference("model", word, a, b)
    inputs = [{entry.name: _show_format(entry) for entry in model.inputs} for model in (first, second)]
    for name in dict.fromkeys((*inputs[0], *inputs[1])):
        formats = [found.get(name, "absent") for found in inputs]
        if formats[0] != formats[1]:
            yield Difference("model", f"input {name}", *formats)
    yield from _compare_operators(first, second)
    for name, tensor in first.tensors.items():
        if name in second.tensors:
            yield from _compare_tensors(tensor, second.tensors[name])


def _show_format(entry: InputFacts) -> str:
    """Return how the board is fed with an input."""
    return f"{entry.input_format or 'any'} for {entry.training_format or 'any'}"


def _compare_operators(first: ModelFacts, second: ModelFacts) -> Iterator[Difference]:
    """Yield operators that are fused, gone, added or of another type."""
    makers = {name: operator for operator in second.operators for name in operator.outputs}
    readers: dict[str, list[OperatorFacts]] = {}
    for operator in first.operators:
        for name in operator.inputs:
            readers.setdefault(name, []).append(operator)
    for operator in first.operators:
        for name in operator.outputs:
            if name not in makers:
                into = _find_heir(name, readers, makers)
                if into is None:
                    yield Difference("gone", name, operator.type, "absent")
                else:
                    yield Difference("fused", name, operator.type, f"part of {makers[into].type} {into}")
            elif show_type(makers[name].type) != show_type(operator.type):
                yield Difference("operator", name, operator.type, makers[name].type)
    yield from _find_hidden(first, second)
    made = {name for operator in first.operators for name in operator.outputs}
    for name, operator in makers.items():
        if name not in made:
            yield Difference("added", name, "absent", operator.type)


def _find_hidden(first: ModelFacts, second: ModelFacts) -> Iterator[Difference]:
    """Yield tensors that both models make, but which a domain of one of them hides from a dump."""
    before, after = _list_hidden(first), _list_hidden(second)
    made = [{name for operator in model.operators for name in operator.outputs} for model in (first, second)]
    for name, operator in after.items():
        if name not in before and name in made[0]:
            yield Difference("fused", name, operator.type, f"inside domain {operator.domain}")
    for name, operator in before.items():
        if name not in after and name in made[1]:
            yield Difference("unfused", name, f"inside domain {operator.domain}", operator.type)


def _list_hidden(model: ModelFacts) -> dict[str, OperatorFacts]:
    """Return the tensors that are made inside a domain, not by its last operator."""
    last = {operator.domain: operator.index for operator in model.operators if operator.domain is not None}
    return {
        name: operator
        for operator in model.operators
        if operator.domain is not None and last[operator.domain] != operator.index
        for name in operator.outputs
    }


def _find_heir(name: str, readers: dict[str, list[OperatorFacts]], makers: dict[str, OperatorFacts]) -> str | None:
    """Return the tensor of the second model that a chain of only readers in the first leads to."""
    seen: set[str] = set()
    while name not in makers:
        following = readers.get(name, [])
        if name in seen or len(following) != 1 or not following[0].outputs:
            return None
        seen.add(name)
        name = following[0].outputs[0]
    return name


def _compare_tensors(a: TensorFacts, b: TensorFacts) -> Iterator[Difference]:
    """Yield what is otherwise about one tensor; facts that only one of the files states are differences, too."""
    pairs = [
        ("shape", show_shape(a.shape), show_shape(b.shape)),
        ("type", a.dtype, b.dtype),
        ("range", show_range(a), show_range(b)),
        ("scale", show_numbers(a.scale), show_numbers(b.scale)),
        ("zero point", show_numbers(a.zero_point), show_numbers(b.zero_point)),
    ]
    for kind, first, second in pairs:
        if first != second and not (kind == "shape" and _is_same_image(a, b)):
            yield Difference(kind, a.name, first, second)


def _is_same_image(a: TensorFacts, b: TensorFacts) -> bool:
    """Return whether one shape is the other one's in NCHW: originals are NCHW, the vendor's models NHWC."""
    if a.shape is None or b.shape is None or len(a.shape) != 4 or len(b.shape) != 4 or a.constant or b.constant:
        return False
    return any(tuple(x[axis] for axis in (0, 2, 3, 1)) == y for x, y in ((a.shape, b.shape), (b.shape, a.shape)))


def show_type(op_type: str) -> str:
    """Return an operator's type as the vendor's dumps name it, so that ``Relu`` and ``RELU`` are the same."""
    return SHOWN_AS.get(op_type, op_type.upper())


def show_shape(shape: tuple[int | str, ...] | None) -> str:
    """Return a shape as text; "" for one that is not known."""
    return "" if shape is None else f"[{', '.join(map(str, shape))}]"


def show_range(tensor: TensorFacts) -> str:
    """Return the range of a tensor: that of all channels where it has one per channel."""
    if not tensor.minimum or not tensor.maximum:
        return ""
    channels = f" ({len(tensor.minimum)} channels)" if len(tensor.minimum) > 1 else ""
    return f"{min(tensor.minimum):.7g} .. {max(tensor.maximum):.7g}{channels}"


def show_numbers(numbers: tuple[float, ...]) -> str:
    """Return scales or zero points as text: one number, or the smallest and largest of many; equal ones once."""
    if not numbers:
        return ""
    low, high = min(numbers), max(numbers)
    return f"{low:.7g}" if low == high else f"{low:.7g} .. {high:.7g} ({len(numbers)} channels)"
