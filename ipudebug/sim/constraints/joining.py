"""Concat, Split."""

from __future__ import annotations

from collections.abc import Iterator

from ipudebug.sim.constraints.node import Node
from ipudebug.sim.constraints.rule import Finding, ModelRule, NodeRule, Offence, Subject, report


def _limit_inputs(node: Node, subject: Subject) -> Offence | None:
    """A Concat has no more inputs than the chip takes."""
    limit = subject.chips.limits["concat-inputs"].value
    return Offence(f"{len(node.inputs)} inputs") if limit is not None and len(node.inputs) > limit else None


def _limit_outputs(subject: Subject) -> Iterator[Finding]:
    """A Split has no more outputs than the chip takes; where that number is not known, the largest Split is noted."""
    limit = subject.chips.limits["split-outputs"].value
    splits = [node for node in subject.graph.nodes if node.op_type == "Split"]
    if limit is not None:
        for node in splits:
            if len(node.outputs) > limit:
                yield report("039", f"{len(node.outputs)} outputs", node=node)
    elif splits:
        largest = max(splits, key=lambda node: len(node.outputs))
        found = f"{len(largest.outputs)} outputs, the most of {len(splits)} Splits; the chip's limit is not known"
        yield report("039", found, node=largest, level="note")


RULES = (NodeRule("061", ("Concat",), _limit_inputs), ModelRule(("039",), _limit_outputs))
