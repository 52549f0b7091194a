"""Facts of a TFLite model, from the same guarded tables as a .sim."""

from __future__ import annotations

from ipudebug.errors import ModelError
from ipudebug.sim.facts import InputFacts, ModelFacts, OperatorFacts, TensorFacts
from ipudebug.sim.facts.options import read_named_options
from ipudebug.sim.vendor.container import load_flatbuffer
from ipudebug.sim.vendor.flatbuffer import Table
from ipudebug.sim.vendor.opcodes import CUSTOM, name_builtin

_WORDS = """
    float32 float16 int32 uint8 int64 string bool int16 complex64 int8 float64 complex128 uint64 resource variant uint32
    uint16 int4 bfloat16
"""
_TYPES = tuple(_WORDS.split())
_HINT = "the file is damaged: copy it again in binary mode, or export the model again"


def gather_tflite(path: str, what: str) -> ModelFacts:
    """Return the facts of a TFLite model's first subgraph; raises ModelError."""
    root = load_flatbuffer(path).root()
    graphs = root.tables(2, "subgraph")
    if not graphs:
        raise ModelError(f"{path}: the model has no subgraph", _HINT)
    graph = graphs[0]
    sizes = [len(table.array(0, "u1")) for table in root.tables(4, "buffer")]
    tensors = [_describe_tensor(table, sizes) for table in graph.tables(0, "tensor")]
    names = [tensor.name for tensor in tensors]
    codes = [_name_code(table) for table in root.tables(1, "operator code")]

    def pick(table: Table, slot: int) -> tuple[str, ...]:
        numbers = table.array(slot, "<i4").tolist()
        if any(not -1 <= number < len(names) for number in numbers):
            raise ModelError(f"{path}: {table.where}: tensor number outside 0..{len(names) - 1}", _HINT)
        return tuple(names[number] for number in numbers if number >= 0)

    operators = []
    for index, table in enumerate(graph.tables(3, "operator")):
        code = table.integer(0, "I")
        if code >= len(codes):
            raise ModelError(f"{path}: operator {index}: code {code} of {len(codes)}", _HINT)
        options = table.table(4, f"options of operator {index}")
        named = read_named_options(codes[code], options) if options is not None else {}
        inputs, outputs = pick(table, 1), pick(table, 2)
        operators.append(OperatorFacts(index, codes[code], inputs=inputs, outputs=outputs, options=named))
    description = root.text(3)
    return ModelFacts(
        path=path,
        what=what if len(graphs) == 1 else f"{what} of {len(graphs)} subgraphs, the first of which is shown",
        stage="",
        version=f"schema {root.integer(0, 'I')}" + (f", {description}" if description else ""),
        chip="",
        inputs=tuple(InputFacts(name) for name in pick(graph, 1)),
        outputs=pick(graph, 2),
        operators=tuple(operators),
        tensors={tensor.name: tensor for tensor in tensors},
    )


def _name_code(table: Table) -> str:
    """Return the name behind an operator code; codes above 126 have a slot of their own."""
    code = max(table.integer(0, "b"), table.integer(3))
    return table.text(1) or "CUSTOM" if code == CUSTOM else name_builtin(code)


def _describe_tensor(table: Table, sizes: list[int]) -> TensorFacts:
    """Return the facts of one tensor; a dimension of -1 in its signature is not fixed."""
    number, buffer = table.integer(1, "B"), table.integer(2, "I")
    quantisation = table.table(4, f"quantisation of {table.where}")
    signature = table.array(7, "<i4") if len(table.array(7, "<i4")) else table.array(0, "<i4")
    parts: list[list[float]] = [[], [], [], []]
    if quantisation is not None:
        parts = [quantisation.array(slot, kind).tolist() for slot, kind in enumerate(("<f4", "<f4", "<f4", "<i8"))]
    return TensorFacts(
        name=table.text(3),
        shape=tuple("?" if dim < 0 else dim for dim in signature.tolist()),
        dtype=_TYPES[number] if number < len(_TYPES) else f"type {number}",
        constant=buffer < len(sizes) and sizes[buffer] > 0,
        minimum=tuple(parts[0]),
        maximum=tuple(parts[1]),
        scale=tuple(parts[2]),
        zero_point=tuple(map(int, parts[3])),
    )
