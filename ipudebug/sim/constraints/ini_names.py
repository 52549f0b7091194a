"""The tensor names of an input_config.ini against the model."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from ipudebug.config.ini import Entry
from ipudebug.sim.constraints.rule import Finding, ModelRule, Subject, report

UNKNOWN_INPUT, UNKNOWN_NAME, DIFFERENT = "075", "002", "names-differ"
CONVOLUTIONS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
"""Operators that become convolutions; products of two activations do not."""


def _compare_names(subject: Subject) -> Iterator[Finding]:
    """Inputs and outputs are the model's, all of them, in the model's order; chosen tensors feed a convolution."""
    sections = subject.ini.sections if subject.ini else {}
    inputs = sections.get("INPUT_CONFIG", {}).get("inputs")
    outputs = sections.get("OUTPUT_CONFIG", {}).get("outputs")
    chosen = sections.get("CONV_CONFIG", {}).get("tensor_arrays")
    if inputs:
        yield from _compare(inputs, tuple(subject.graph.inputs), UNKNOWN_INPUT, subject)
    if outputs:
        yield from _compare(outputs, subject.graph.outputs, UNKNOWN_NAME, subject)
    if chosen:
        nodes = [node for node in subject.graph.nodes if node.op_type in CONVOLUTIONS]
        fed = [node.read_input(0) for node in nodes if subject.graph.is_constant(node.read_input(1))]
        for name in chosen.items:
            if name not in fed:
                found = f"{name} feeds no convolution{_suggest(name, tuple(dict.fromkeys(fed)))}"
                yield report(UNKNOWN_NAME, found, (name,), level="warning", place=chosen.place)


def _compare(entry: Entry, expected: Sequence[str], key: str, subject: Subject) -> Iterator[Finding]:
    """Yield what differs between one list of the ini and the model's."""
    what = entry.key.removesuffix("s")
    for name in entry.items:
        if not subject.graph.is_tensor(name):
            found = f"{name} is no tensor of the model{_suggest(name, expected)}"
            yield report(key, found, (name,), place=entry.place)
        elif name not in expected:
            found = f"{name} is a tensor inside the model, not an {what} of it"
            yield report(DIFFERENT, found, level="warning", place=entry.place)
    for name in expected:
        if name not in entry.items:
            yield report(DIFFERENT, f"{what} {name} of the model is not listed", level="warning", place=entry.place)
    shared = [name for name in entry.items if name in expected]
    if shared != [name for name in expected if name in shared]:
        found = f"expected the model's order ({', '.join(expected)}), found {', '.join(entry.items)}"
        yield report(DIFFERENT, found, level="warning", place=entry.place)


def _suggest(name: str, known: Sequence[str]) -> str:
    """Return the nearest known names as the end of a sentence, or nothing."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; expected {', '.join(known[:5])}" if known else ""


RULES = (ModelRule((UNKNOWN_INPUT, UNKNOWN_NAME, DIFFERENT), _compare_names),)
