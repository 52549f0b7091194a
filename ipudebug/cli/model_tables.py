"""The facts of a model as text: tables for people, JSON for programs."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ipudebug.reports.cells import show_name
from ipudebug.sim.facts.difference import show_numbers, show_range, show_shape

if TYPE_CHECKING:
    from ipudebug.sim.facts import InputFacts, ModelFacts, OperatorFacts, TensorFacts
    from ipudebug.sim.facts.difference import Difference

OPERATORS = ("#", "domain", "operator", "name", "integers", "inputs", "outputs")
TENSORS = ("tensor", "shape", "type", "range", "scale", "zero", "layout", "memory")
_WIDEST = 60
_OF_TENSORS = ("shape", "type", "range", "scale", "zero point")


def render_model(
    model: ModelFacts, operators: Sequence[OperatorFacts], tensors: Sequence[TensorFacts]
) -> Iterator[str]:
    """Yield what a model is, its inputs and outputs, then tables of some of its operators and tensors."""
    yield f"{model.path}: {model.what}\n"
    pairs = [("stage", model.stage), ("version", model.version), ("chip", model.chip)]
    pairs += [("input", _show_input(entry, model)) for entry in model.inputs]
    pairs += [("output", _show_end(name, model)) for name in model.outputs]
    pairs += [("size", _count_parts(model))]
    yield "".join(f"{word:<8} {text}\n" for word, text in pairs if text)
    if operators:
        cells = [
            [str(one.index), _show_domain(one), one.type, one.name, one.status, *_show_ends(one)] for one in operators
        ]
        yield "\n" + _table(OPERATORS, cells)
    if tensors:
        yield "\n" + _table(TENSORS, [_show_tensor(tensor) for tensor in tensors])


def _count_parts(model: ModelFacts) -> str:
    """Return how many operators, in how many domains, and tensors a model has."""
    domains = len({one.domain for one in model.operators if one.domain is not None})
    within = f" in {_count(domains, 'domain')}" if domains else ""
    return f"{_count(len(model.operators), 'operator')}{within}, {_count(len(model.tensors), 'tensor')}"


def _count(number: int, noun: str) -> str:
    """Return a number of things."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def render_details(
    model: ModelFacts, operators: Sequence[OperatorFacts], tensors: Sequence[TensorFacts]
) -> Iterator[str]:
    """Yield one paragraph for each operator with its tensors, or for each tensor with who makes and reads it."""
    for operator in operators:
        lines = [("domain", f"{_show_domain(operator)} {operator.role}".strip()), ("name", operator.name)]
        lines += [("integers", operator.status), *operator.options.items()]
        lines += [(f"input {i}", _show_end(name, model)) for i, name in enumerate(operator.inputs)]
        lines += [(f"output {i}", _show_end(name, model)) for i, name in enumerate(operator.outputs)]
        yield _paragraph(f"operator {operator.index} {operator.type}", lines)
    for tensor in tensors:
        words = [word for word in TENSORS[1:] if word]
        lines = list(zip(words, _show_tensor(tensor)[1:], strict=True))
        lines += [("values", " ".join(map(str, tensor.values)))]
        made = [f"{one.index} {one.type}" for one in model.operators if tensor.name in one.outputs]
        read = [f"{one.index} {one.type}" for one in model.operators if tensor.name in one.inputs]
        lines += [("made by", ", ".join(made)), ("read by", ", ".join(read))]
        yield _paragraph(f"tensor {show_name(tensor.name)}", lines)


def _paragraph(title: str, lines: Iterable[tuple[str, str]]) -> str:
    """Return a title and indented lines, without those that have nothing to say."""
    shown = [(word, text) for word, text in lines if text]
    width = max((len(word) for word, _ in shown), default=0)
    return f"{title}\n" + "".join(f"  {word:<{width}}  {show_name(text)}\n" for word, text in shown)


def render_differences(first: str, second: str, differences: Sequence[Difference]) -> Iterator[str]:
    """Yield a table of differences, those of one tensor in one row."""
    if not differences:
        yield f"{first} and {second}: no differences\n"
        return
    cells = []
    for (_, where), group in itertools.groupby(differences, lambda one: (one.kind in _OF_TENSORS, one.where)):
        listed = list(group)
        sides = [
            ", ".join(filter(None, side)) for side in zip(*((one.first, one.second) for one in listed), strict=True)
        ]
        cells.append([", ".join(one.kind for one in listed), _cut(where), *map(show_name, sides)])
    yield _table(("what", "where", first, second), cells)


def render_json(model: ModelFacts, operators: Sequence[OperatorFacts], tensors: Sequence[TensorFacts]) -> Iterator[str]:
    """Yield one object with all facts; of operators and tensors those that were asked for."""
    plain = dataclasses.asdict(dataclasses.replace(model, operators=tuple(operators), tensors={}))
    plain["tensors"] = [dataclasses.asdict(tensor) for tensor in tensors]
    yield _dump({"version": 1, "model": plain})


def render_differences_json(first: str, second: str, differences: Sequence[Difference]) -> Iterator[str]:
    """Yield one object with all differences."""
    listed = [dataclasses.asdict(one) for one in differences]
    yield _dump({"version": 1, "first": first, "second": second, "differences": listed})


def _dump(value: Any) -> str:
    """Return JSON; numbers that it does not have (NaN, infinities) become texts."""
    return json.dumps(_clean(value), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _clean(value: Any) -> Any:
    """Return a value with texts for numbers that JSON does not have."""
    if isinstance(value, dict):
        return {key: _clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(inner) for inner in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    return value


def _table(headings: Sequence[str], cells: list[list[str]]) -> str:
    """Return an aligned table without the columns that are empty."""
    from tabulate import tabulate

    used = [i for i in range(len(headings)) if any(row[i] for row in cells)]
    rows = [[row[i] for i in used] for row in cells]
    text = tabulate(rows, [headings[i] for i in used], tablefmt="simple", disable_numparse=True)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def _cut(text: str) -> str:
    """Return a text that fits a cell."""
    shown = show_name(text)
    return shown if len(shown) <= _WIDEST else shown[: _WIDEST - 3] + "..."


def _show_domain(operator: OperatorFacts) -> str:
    """Return the number of an operator's domain, "" without one."""
    return "" if operator.domain is None else str(operator.domain)


def _show_ends(operator: OperatorFacts) -> list[str]:
    """Return inputs and outputs of an operator as cells."""
    return [_cut(", ".join(names)) for names in (operator.inputs, operator.outputs)]


def _show_input(entry: InputFacts, model: ModelFacts) -> str:
    """Return an input with its formats."""
    text = _show_end(entry.name, model)
    if entry.input_format:
        text += f", fed as {entry.input_format}"
        text += f", trained as {entry.training_format}" if entry.training_format else ""
    for word, numbers in (("mean", entry.mean), ("std", entry.std)):
        text += f", {word} {':'.join(f'{number:g}' for number in numbers)}" if numbers else ""
    return text


def _show_end(name: str, model: ModelFacts) -> str:
    """Return a tensor's name with shape and type."""
    tensor = model.tensors.get(name)
    parts = [show_name(name)]
    if tensor is not None:
        parts += [part for part in (show_shape(tensor.shape), tensor.dtype) if part]
        parts += ["constant"] if tensor.constant else []
        parts += [f"= {' '.join(map(str, tensor.values))}"] if tensor.values else []
    return " ".join(parts)


def _show_tensor(tensor: TensorFacts) -> list[str]:
    """Return the cells of one tensor."""
    memory = f"{tensor.memory[0]}..{tensor.memory[1]}" if tensor.memory is not None else ""
    kind = f"{tensor.dtype} constant" if tensor.constant else tensor.dtype
    return [
        _cut(tensor.name),
        show_shape(tensor.shape),
        kind.strip(),
        show_range(tensor),
        show_numbers(tensor.scale),
        show_numbers(tensor.zero_point),
        tensor.memory_layout,
        memory,
    ]
