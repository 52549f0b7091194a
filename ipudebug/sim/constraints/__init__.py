"""What the toolchain and the chip accept: one small file of rules per operator family.

A family is one module here that exports ``RULES``, a tuple of NodeRule and ModelRule. The messages, causes and rewrites
are the catalogue's; the numbers are those of ``sim/chips.ini``.
"""

from __future__ import annotations

import os

from ipudebug.catalogue import load_entries
from ipudebug.config.ini import MalformedIni, NoSectionHeader, read_ini
from ipudebug.errors import ConfigError
from ipudebug.registry import Registry
from ipudebug.sim.constraints.graph import OWN_DOMAIN
from ipudebug.sim.constraints.model_file import load_graph
from ipudebug.sim.constraints.rule import LEVELS, Finding, ModelRule, NodeRule, Subject

__all__ = ["FAMILIES", "Finding", "Subject", "check_model", "load_graph", "load_subject"]

FAMILIES: Registry[tuple[NodeRule | ModelRule, ...]] = Registry(
    __name__, "RULES", "rule family", besides=("graph", "model_file", "node", "rule")
)


def load_subject(
    model: str, ini: str | None = None, soc_version: str | None = None, input_shapes: str | None = None
) -> Subject:
    """Return what is to be checked; raises ModelError, InputError or ConfigError for what cannot be read.

    An ini that can be read but not parsed is no error here: it is one of the findings. ``input_shapes`` fixes the
    shapes of the inputs, in the converter's form: ``1,3,224,224:1,10``.
    """
    graph = load_graph(model, input_shapes)
    if ini is None:
        return Subject(graph, soc_version=soc_version)
    if not os.path.exists(ini):
        message = load_entries()["ini-missing"].message.partition(": ")[2]
        raise ConfigError(f"{message} expected a file, found nothing at {ini}", "check the path")
    try:
        return Subject(graph, read_ini(ini, "input config"), soc_version=soc_version)
    except (NoSectionHeader, MalformedIni) as fault:
        return Subject(graph, ini_fault=fault, soc_version=soc_version)


def check_model(subject: Subject) -> list[Finding]:
    """Return everything that the toolchain would refuse: errors, warnings, notes; each in the model's order.

    Nodes whose results are constant are not judged: the converter computes them before it looks at operators.
    """
    findings: list[Finding] = []
    by_op: dict[str, list[NodeRule]] = {}
    for rule in (rule for family in FAMILIES.values() for rule in family):
        if isinstance(rule, NodeRule):
            for op in rule.ops:
                by_op.setdefault(op, []).append(rule)
        else:
            findings += rule.find(subject)
    for node in subject.graph.nodes:
        rules = by_op.get(node.op_type, ()) if node.domain != OWN_DOMAIN else ()
        found = [finding for rule in rules if (finding := rule.judge(node, subject))]
        if found and not all(map(subject.graph.is_constant, node.outputs)):
            findings += found
    return sorted(findings, key=lambda finding: LEVELS.index(finding.level))
