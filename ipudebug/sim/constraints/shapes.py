"""Shapes that are not fixed: of the inputs, and of tensors whose size follows from values."""

from __future__ import annotations

from collections.abc import Iterator

from ipudebug.sim.constraints.graph import SHAPE_INPUTS, SIZED_BY_VALUES, read_shape
from ipudebug.sim.constraints.node import read_name
from ipudebug.sim.constraints.rule import Finding, ModelRule, Subject, report

SECTION = "DYNAMIC_CONFIG"
OTHERWISE_JUDGED = ("Expand", "Resize", "Upsample")
"""Their shape inputs have rules of their own, or leave the rank known."""


def _find_dynamic_inputs(subject: Subject) -> Iterator[Finding]:
    """Every input has a fixed shape, or the ini describes the dynamic ones."""
    described = subject.ini is not None and SECTION in subject.ini.sections
    for name, info in subject.graph.inputs.items():
        shape = read_shape(info)
        if shape is None:
            if info.type.HasField("tensor_type"):
                yield report("077", f"input {name} states no shape", ("0", name))
        elif None in shape:
            pairs = zip(shape, info.type.tensor_type.shape.dim, strict=True)
            shown = "x".join(str(size) if size is not None else read_name(dim.dim_param) or "?" for size, dim in pairs)
            if described:
                found = f"input {name} is {shown}; which keys [{SECTION}] needs is not known"
                yield report("051", found, level="note")
            else:
                yield report("051", f"input {name} is {shown}")


def _find_computed_shapes(subject: Subject) -> Iterator[Finding]:
    """No tensor's size follows from the values of another."""
    graph = subject.graph
    for node in graph.nodes:
        if node.op_type in SIZED_BY_VALUES:
            yield report("077", f"{node.op_type} makes as many elements as its values say", ("0", node.name), node=node)
            continue
        places = () if node.op_type in OTHERWISE_JUDGED else SHAPE_INPUTS.get(node.op_type, ())
        name = next((name for place in places if (name := node.read_input(place)) and not graph.is_constant(name)), "")
        if name in graph.inputs:
            yield report("077", f"the shape is the input {name}", ("0", node.outputs[0]), node=node)
        elif name:
            yield report("040", f"the shape {name} is computed from values", ("0",), node=node)


RULES = (ModelRule(("051", "077"), _find_dynamic_inputs), ModelRule(("040", "077"), _find_computed_shapes))
