"""What ``check`` found -> a table, JSON or SARIF."""

from __future__ import annotations

import collections
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ipudebug.catalogue import Entry
from ipudebug.cli.explanations import describe_entry

if TYPE_CHECKING:
    from ipudebug.sim.constraints import Finding

HEADINGS = ("level", "row", "where", "found")
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render_table(findings: Sequence[Finding], model: str) -> Iterator[str]:
    """Yield the findings as an aligned table; below it for each row the messages it ends in, and what to do."""
    from tabulate import tabulate

    if not findings:
        yield f"{model}: nothing that the toolchain is known to refuse\n"
        return
    cells = [[one.level, one.entry.key, _show_place(one), _escape(one.found)] for one in findings]
    text = tabulate(cells, HEADINGS, tablefmt="simple", disable_numparse=True)
    yield "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
    for entry in _list_entries(findings):
        yield f"\n{entry.key}: {entry.cause}\n"
        ends = dict.fromkeys(_escape(one.message) for one in findings if one.entry is entry)
        yield "  ends in  " + "\n           ".join(ends) + f"\n  do       {entry.remedy}\n"
        if entry.rewrite:
            yield f"  rewrite  {entry.rewrite}\n"
        yield f"  look at  {entry.look}\n  more     {entry.link}\n"


def render_json(findings: Sequence[Finding], model: str) -> Iterator[str]:
    """Yield one object: the model, how many findings of each level, the findings."""
    counts = collections.Counter(finding.level for finding in findings)
    shown = [
        {
            "level": finding.level,
            "node": finding.node or None,
            "op_type": finding.op_type or None,
            "place": finding.place or None,
            "found": finding.found,
            "ends_in": finding.message,
            **describe_entry(finding.entry),
        }
        for finding in findings
    ]
    levels = {level: counts[level] for level in ("error", "warning", "note")}
    report = {"version": 1, "model": model, "counts": levels, "findings": shown}
    yield json.dumps(report, indent=1, ensure_ascii=False) + "\n"


def render_sarif(findings: Sequence[Finding], model: str) -> Iterator[str]:
    """Yield a SARIF 2.1.0 log with one run: a rule for each row of the catalogue, a result for each finding."""
    from ipudebug import __version__

    entries = _list_entries(findings)
    places = {entry.key: place for place, entry in enumerate(entries)}
    driver = {"name": "ipudebug check", "version": __version__, "rules": [_describe_rule(entry) for entry in entries]}
    results = [
        {
            "ruleId": finding.entry.key,
            "ruleIndex": places[finding.entry.key],
            "level": finding.level,
            "message": {"text": f"{finding.found}. The conversion would end in: {finding.message}"},
            "locations": [_locate(finding, model)],
        }
        for finding in findings
    ]
    log = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}
    yield json.dumps(log, indent=1, ensure_ascii=False) + "\n"


FORMATS: Mapping[str, Callable[[Sequence[Finding], str], Iterator[str]]] = {
    "table": render_table,
    "json": render_json,
    "sarif": render_sarif,
}


def _describe_rule(entry: Entry) -> dict[str, Any]:
    """Return an entry of the catalogue as a SARIF rule."""
    change = f" Rewrite: {entry.rewrite}." if entry.rewrite else ""
    return {
        "id": entry.key,
        "shortDescription": {"text": entry.cause},
        "fullDescription": {"text": f"{entry.when} ({entry.evidence})"},
        "help": {"text": f"{entry.remedy}.{change} Look at: {entry.look}. See {entry.link}"},
    }


def _locate(finding: Finding, model: str) -> dict[str, Any]:
    """Return where a finding is: the file, the line of an ini, the node of a model."""
    from urllib.parse import quote

    path, _, line = finding.place.partition(", line ")
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote((path or model).replace("\\", "/"))}}
    number = line.partition(",")[0]
    if number.isdigit():
        physical["region"] = {"startLine": int(number)}
    location: dict[str, Any] = {"physicalLocation": physical}
    if finding.node:
        location["logicalLocations"] = [{"name": finding.node, "kind": "element"}]
    return location


def _list_entries(findings: Sequence[Finding]) -> list[Entry]:
    """Return the entries that the findings are about, each once, in the findings' order."""
    return list({finding.entry.key: finding.entry for finding in findings}.values())


def _show_place(finding: Finding) -> str:
    """Return where a finding is, for a cell."""
    return _escape(f"{finding.node} ({finding.op_type})" if finding.node else finding.place)


def _escape(text: str) -> str:
    """Return ``text`` on one line: a tensor name may hold any character."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
