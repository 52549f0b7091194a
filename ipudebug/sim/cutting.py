"""A part of a model: from some of its tensors to others (``--input_arrays``, ``--output_arrays``)."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipudebug.config.input_config import UnknownInput, UnknownOutput
from ipudebug.errors import InputError
from ipudebug.sim.draft import Draft, list_reads

if TYPE_CHECKING:
    from onnx import TypeProto


def cut_graph(draft: Draft, inputs: Sequence[str] | None, outputs: Sequence[str] | None) -> None:
    """Reduce the draft to what lies between the tensors ``inputs`` and ``outputs``; None leaves that end as it is.

    Without ``inputs``, those that the outputs do not depend on are dropped. Raises UnknownInput, UnknownOutput, and
    InputError where the outputs depend on more than the inputs.
    """
    from onnx import helper

    if inputs is None and outputs is None:
        return
    for option, names in (("--input_arrays", inputs), ("--output_arrays", outputs)):
        twice = [name for name in names or () if (names or ()).count(name) > 1]
        if twice:
            raise InputError(f"{option}: expected each tensor once, found {twice[0]} twice", "leave one of them out")
    makers = draft.find_makers()
    given = {info.name: info for info in draft.inputs}
    known = [*given, *makers]
    for name in inputs or ():
        if name not in known:
            message = f'The model doesn\'t have input named "{name}". --input_arrays: expected names of its tensors'
            raise UnknownInput(message, _suggest(name, known))
    for name in outputs or ():
        if name not in known:
            message = f"'{name}' is no tensor of the model. --output_arrays: expected names of its tensors"
            raise UnknownOutput(message, _suggest(name, known))
    types = _infer_types(draft)
    if outputs is not None:
        draft.outputs = [helper.make_value_info(name, types[name]) for name in outputs]
    starts = list(given) if inputs is None else list(inputs)
    used, needed = _walk_back(draft, set(starts))
    missing = [name for name in needed if name in given and name not in starts]
    if missing:
        message = f"--input_arrays: the outputs depend on the input {missing[0]} too, which is not listed"
        raise InputError(message, f"add {', '.join(missing)}, or cut the outputs with --output_arrays")
    if inputs is None:
        starts = [name for name in starts if name in needed]
    draft.inputs = [given.get(name) or helper.make_value_info(name, types[name]) for name in starts]
    draft.nodes = [node for index, node in enumerate(draft.nodes) if index in used]


def _walk_back(draft: Draft, starts: set[str]) -> tuple[set[int], set[str]]:
    """Return the nodes (by index) between ``starts`` and the outputs, and the names that were met on the way."""
    makers = {name: index for index, node in enumerate(draft.nodes) for name in node.output if name}
    used: set[int] = set()
    met: set[str] = set()
    todo = [info.name for info in draft.outputs]
    while todo:
        name = todo.pop()
        met.add(name)
        index = makers.get(name)
        if name in starts or index is None or index in used:
            continue
        used.add(index)
        todo += list_reads(draft.nodes[index])
    return used, met


def _infer_types(draft: Draft) -> dict[str, TypeProto]:
    """Return what is known of every tensor's type before any dimension is fixed: shapes may be missing or symbolic."""
    import onnx

    model = draft.build_model(with_weights=False)
    for name, kind in draft.stated.items():
        model.graph.value_info.add(name=name, type=kind)
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
    infos = (*inferred.graph.value_info, *inferred.graph.output, *draft.inputs)
    types = {name: onnx.TypeProto() for node in draft.nodes for name in node.output if name}
    return types | {info.name: info.type for info in infos}


def _suggest(name: str, known: Sequence[str]) -> str:
    """Return the hint for a name that the model lacks."""
    near = difflib.get_close_matches(name, known, n=1)
    return (f"did you mean {near[0]}? " if near else "") + "names must be written exactly as in the model"
