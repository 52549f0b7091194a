"""The graph: operators in execution order, coloured by what they do to the error, arcs for what skips.

A simulator's dump repeats each tensor as its readers' input; that is what the edges are made from. The dumps of the
framework scripts hold outputs only: there the edges are a model's, if a diagnosis had one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ipudebug.comparison import LayerResult
from ipudebug.reports.page.markup import anchor, escape, show_compact
from ipudebug.reports.page.roles import Part, list_words
from ipudebug.reports.severity import find_severity
from ipudebug.tensor import TensorInfo

_NARROW, _WIDE, _PAGE = 22, 64, 1110  # pixels from one operator to the next, and for all of them if there are few
_SIDE, _LEFT, _RIGHT = 14, 46, 14
_TALLEST, _LABEL = 150, 122
_LONGEST = 14  # characters of an op type below its box


@dataclass(slots=True)
class Operator:
    """One operator: what it is, the worst row among its outputs (None: not compared), and whose outputs it reads."""

    op_type: str
    outputs: list[str] = field(default_factory=list)
    row: LayerResult | None = None
    producers: set[int] = field(default_factory=set)


def find_operators(infos: Sequence[TensorInfo], rows: Sequence[LayerResult]) -> list[Operator]:
    """Return the operators of a dump in execution order, ``producers`` as places in that list; [] without edges."""
    by_name: dict[str, LayerResult] = {}
    for row in rows:
        if row.compared and (row.name not in by_name or find_severity(row) > find_severity(by_name[row.name])):
            by_name[row.name] = row
    made = [info for info in infos if info.role == "out" and not info.constant]
    places = {index: place for place, index in enumerate(sorted({info.op_index for info in made}))}
    operators = [Operator("") for _ in places]
    producer: dict[str, int] = {}
    for info in made:
        place = places[info.op_index]
        producer[info.name] = place
        operator = operators[place]
        operator.op_type = info.op_type
        operator.outputs.append(info.name)
        found = by_name.get(info.name)
        if found and (operator.row is None or find_severity(found) > find_severity(operator.row)):
            operator.row = found
    for info in infos:
        place = places.get(info.op_index, -1)
        if info.role == "in" and producer.get(info.name, place) < place:
            operators[place].producers.add(producer[info.name])
    return operators if any(operator.producers for operator in operators) else []


def find_computed(rows: Sequence[LayerResult], parents: Mapping[int, Sequence[int]]) -> list[Operator]:
    """Return an operator for each compared row, given which of them each is computed from; [] without edges."""
    compared = [row for row in rows if row.compared]
    operators = [
        Operator(row.sample.info.op_type, [row.name], row, set(parents.get(place, ())))
        for place, row in enumerate(compared)
    ]
    return operators if any(operator.producers for operator in operators) else []


def draw_graph(operators: Sequence[Operator], parts: Mapping[int, Part] | None = None) -> str:
    """Return the graph as SVG, as wide as it has operators; "" without any.

    ``parts`` are those of the rows, by their indices; a row without one is coloured by its status.
    """
    parts = parts or {}
    if not operators:
        return ""
    step = min(_WIDE, max(_NARROW, _PAGE // len(operators)))
    width = _LEFT + _RIGHT + step * len(operators)
    tallest = max((_rise(place - other) for place, op in enumerate(operators) for other in op.producers), default=0)
    line = tallest + 12 + _SIDE / 2
    pieces = [
        f'<svg class="graph" width="{width}" height="{line + _LABEL:.0f}" viewBox="0 0 {width} {line + _LABEL:.0f}" '
        'role="img" aria-label="The graph">'
    ]
    for place in range(len(operators)):
        pieces += _draw_edges(operators, place, step, line)
    pieces += [_draw_operator(operator, parts, _x(place, step), line) for place, operator in enumerate(operators)]
    return "".join(pieces) + "</svg>\n"


def draw_legend(operators: Sequence[Operator], parts: Mapping[int, Part]) -> str:
    """Return what the colours of a graph stand for, those that occur in it."""
    rows = [operator.row for operator in operators if operator.row is not None]
    words = [(f"role-{word.replace(' ', '-')}", word) for word in list_words(parts.values())]
    statuses = dict.fromkeys(row.status for row in rows if row.index not in parts)
    words += [(status, status) for status in statuses]
    words += [("uncompared", "not compared")] if len(rows) < len(operators) else []
    return '<p class="legend">' + "".join(f'<span><i class="p {css}"></i>{word}</span>' for css, word in words) + "</p>"


def _draw_edges(operators: Sequence[Operator], place: int, step: int, line: float) -> Iterator[str]:
    """Yield the edges into one operator: straight from the one before it, as an arc from further back."""
    for other in sorted(operators[place].producers):
        row = operators[other].row
        kind = " bad" if row is not None and row.suspicious else ""
        start, stop = _x(other, step), _x(place, step)
        if place - other == 1:
            yield f'<path class="edge{kind}" d="M{start} {line:g}H{stop}"/>'
        else:
            top = line - _SIDE / 2
            peak = top - _rise(place - other) * 4 / 3  # a cubic reaches three quarters of its handles' height
            yield f'<path class="edge{kind}" d="M{start} {top:g}C{start} {peak:.0f} {stop} {peak:.0f} {stop} {top:g}"/>'


def _draw_operator(operator: Operator, parts: Mapping[int, Part], x: float, line: float) -> str:
    """Return one operator: a box that links to its row, its type below."""
    row = operator.row
    name = ", ".join(operator.outputs)
    if row is None:
        told, status = "not compared", "uncompared"
    else:
        told, status = f"COS {show_compact(row.values['cos'])}, {row.status}", row.status
        if row.index in parts:
            told, status = f"{told}, {parts[row.index].told}", parts[row.index].css
    half = _SIDE / 2
    box = (
        f'<rect class="p {status}" x="{x - half:g}" y="{line - half:g}" width="{_SIDE}" height="{_SIDE}" rx="4">'
        f"<title>{escape(f'{name}: {operator.op_type}, {told}')}</title></rect>"
    )
    at = f"{x + 4:g} {line + half + 7:g}"
    short = len(operator.op_type) <= _LONGEST
    label = escape(operator.op_type if short else operator.op_type[: _LONGEST - 1] + "…")
    text = f'<text class="tick" transform="translate({at}) rotate(-60)" text-anchor="end">{label}</text>'
    return (f'<a href="#{anchor(row)}">{box}</a>' if row else box) + text


def _x(place: int, step: int) -> int:
    """Return the x of an operator."""
    return _LEFT + step // 2 + step * place


def _rise(span: int) -> float:
    """Return the height of an arc over so many places."""
    return 0.0 if span < 2 else min(_TALLEST, 10 + 7.0 * span)
