"""The chip that the model is meant for."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from ipudebug.sim.constraints.rule import Finding, ModelRule, Subject, report


def _find_unknown_chip(subject: Subject) -> Iterator[Finding]:
    """The chip is one whose name is public; as that list is not complete, another is only doubtful."""
    name, known = subject.soc_version, subject.chips.names
    if name is not None and name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        found = f"{name} is not among the chips whose names are public{f'; {near[0]} is' if near else ''}"
        yield report("071", f"{found} (the installed toolchain may know more)", (name,), level="warning")


RULES = (ModelRule(("071",), _find_unknown_chip),)
