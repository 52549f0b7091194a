"""ipudebug's source -> the template of every message that it raises on purpose, read off the syntax trees."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import ipudebug

PACKAGE = Path(ipudebug.__file__).parent
VARIANTS = 12  # alternatives of one message that are written out; beyond them a part counts as varying
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class OwnMessage:
    """One message: its template, the hint's, and the class of the error with the first line of its docstring."""

    template: str
    hint: str
    error: str


@dataclass(frozen=True)
class Maker:
    """A function one of whose arguments becomes part of a message: which, and the templates around it."""

    place: int
    parameter: str
    templates: list[str]


@dataclass
class Source:
    """The package: its error classes, and the functions that turn an argument into an error's message."""

    errors: dict[str, str] = field(default_factory=dict)  # class -> first line of its docstring
    trees: list[ast.Module] = field(default_factory=list)
    makers: dict[tuple[str, ast.Module | None], Maker] = field(
        default_factory=dict
    )  # a private name holds for its file


def collect_messages() -> list[OwnMessage]:
    """Return every message once, in the order of the files."""
    source = _read_package()
    messages: dict[str, OwnMessage] = {}
    for tree in source.trees:
        for function, call in _list_calls(tree):
            for message in _read_call(call, function, tree, source):
                messages.setdefault(message.template, message)
    return list(messages.values())


def _read_package() -> Source:
    source = Source()
    source.trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))]
    classes = [node for tree in source.trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    known = {"IpuDebugError"}
    for _ in range(5):  # generations
        for node in classes:
            if {base.id for base in node.bases if isinstance(base, ast.Name)} & known:
                known.add(node.name)
                source.errors[node.name] = (ast.get_docstring(node) or "").split("\n")[0].rstrip(".")
    for tree in source.trees:
        for function, call in _list_calls(tree):
            if function is not None and _is_error(call, source) and call.args:
                _note_maker(function, call, tree, source)
    return source


def _note_maker(function: Function, call: ast.Call, tree: ast.Module, source: Source) -> None:
    """Remember a function one of whose parameters becomes part of an error's message."""
    parameters = [argument.arg for argument in function.args.args if argument.arg not in ("self", "cls")]
    used = [node.id for node in ast.walk(call.args[0]) if isinstance(node, ast.Name)]
    for place, parameter in enumerate(parameters):
        if parameter in used and parameter in ("message", "what", "problem", "reason", "text"):
            scope = tree if function.name.startswith("_") else None
            source.makers[function.name, scope] = Maker(place, parameter, _read_text(call.args[0], function))
            return


def _list_calls(tree: ast.Module) -> Iterator[tuple[Function | None, ast.Call]]:
    """Yield every call with the function that it stands in."""
    pending: list[tuple[Function | None, ast.AST]] = [(None, tree)]
    while pending:
        function, node = pending.pop()
        if isinstance(node, ast.Call):
            yield function, node
        inner = node if isinstance(node, Function) else function
        pending.extend((inner, child) for child in reversed(list(ast.iter_child_nodes(node))))


def _name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _is_error(call: ast.Call, source: Source) -> bool:
    return _name_of(call) in source.errors or _name_of(call) == "error"


def _read_call(call: ast.Call, function: Function | None, tree: ast.Module, source: Source) -> Iterator[OwnMessage]:
    """Yield the messages that one call can make."""
    if not call.args:
        return
    name = _name_of(call)
    if _is_error(call, source):
        hints = _read_text(call.args[1], function) if len(call.args) > 1 else [""]
        for template in _read_text(call.args[0], function):
            yield OwnMessage(template, hints[0], name if name in source.errors else "IpuDebugError")
        return
    maker = source.makers.get((name, tree)) or source.makers.get((name, None))
    if maker and maker.place < len(call.args):
        for part, template in itertools.product(_read_text(call.args[maker.place], function), maker.templates):
            yield OwnMessage(template.replace(f"⟨{maker.parameter}⟩", part), "", "IpuDebugError")


def _read_text(node: ast.expr, function: Function | None, depth: int = 0) -> list[str]:
    """Return the texts that an expression can be; what varies stands in ⟨⟩."""
    if isinstance(node, ast.Constant):
        return [node.value if isinstance(node.value, str) else ""]
    if isinstance(node, ast.JoinedStr):
        parts = [_read_part(value, function, depth) for value in node.values]
        return _join(parts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _join([_read_text(node.left, function, depth), _read_text(node.right, function, depth)])
    if isinstance(node, ast.IfExp):
        return [*_read_text(node.body, function, depth), *_read_text(node.orelse, function, depth)]
    if isinstance(node, ast.Name) and function is not None and depth < 3:
        values = [
            text
            for statement in ast.walk(function)
            if isinstance(statement, ast.Assign) and any(getattr(t, "id", "") == node.id for t in statement.targets)
            for text in _read_text(statement.value, function, depth + 1)
        ]
        if values and len(values) <= VARIANTS:
            return values
    return [f"⟨{_show(node)}⟩"]


def _read_part(node: ast.expr, function: Function | None, depth: int) -> list[str]:
    """Return the texts of one part of an f-string; alternatives are written out, anything else varies."""
    if isinstance(node, ast.FormattedValue):
        inner = node.value
        if isinstance(inner, ast.IfExp | ast.Name) and node.conversion == -1 and node.format_spec is None:
            texts = _read_text(inner, function, depth + 1)
            if all("⟨" not in text for text in texts):
                return texts
        return [f"⟨{_show(inner)}⟩"]
    return _read_text(node, function, depth)


def _join(parts: list[list[str]]) -> list[str]:
    while len(list(itertools.product(*parts))) > VARIANTS:
        longest = max(range(len(parts)), key=lambda place: len(parts[place]))
        parts[longest] = ["⟨...⟩"]
    return ["".join(texts) for texts in itertools.product(*parts)]


def _show(node: ast.expr) -> str:
    """Return an expression as a short name for what varies."""
    names = [child.id for child in ast.walk(node) if isinstance(child, ast.Name)]
    attributes = [child.attr for child in ast.walk(node) if isinstance(child, ast.Attribute)]
    return (attributes or names or ["..."])[0]
