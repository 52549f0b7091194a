"""Which operators the converter knows."""

from __future__ import annotations

import collections
from collections.abc import Iterator

from ipudebug.sim.constraints.graph import OWN_DOMAIN, STANDARD_DOMAINS
from ipudebug.sim.constraints.rule import Finding, ModelRule, Subject, report


def _find_unknown(subject: Subject) -> Iterator[Finding]:
    """Every operator has a converter; those about which nothing is public are noted once, together."""
    import onnx

    chips = subject.chips
    doubtful: collections.Counter[str] = collections.Counter()
    for node in subject.graph.nodes:
        if node.domain == OWN_DOMAIN:
            continue
        if node.domain not in STANDARD_DOMAINS:
            yield report("034", f"domain {node.domain}: no operator of the ONNX standard", node=node)
        elif node.op_type in chips.refused:
            yield report("053", f"{node.op_type} is named by the vendor's page", (node.op_type,), node=node)
        elif node.op_type not in chips.converted:
            if not onnx.defs.has(node.op_type):
                yield report("053", "the ONNX standard has no such operator", (node.op_type,), node=node)
            elif not all(map(subject.graph.is_constant, node.outputs)):
                doubtful[node.op_type] += 1
    if doubtful:
        names = ", ".join(f"{name} ({count})" for name, count in doubtful.items())
        found = f"whether these are converted is not known: {names}"
        yield report("053", found, (next(iter(doubtful)),), level="note")


RULES = (ModelRule(("034", "053"), _find_unknown),)
