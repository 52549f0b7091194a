"""The groups of benches: every module of a package that exports ``GROUP`` and ``rows``."""

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.harness.context import Context
from bench.harness.row import Row, Table


@dataclass(frozen=True)
class Group:
    """One section of RESULTS.md: its name on the command line, its heading, and what measures it."""

    name: str
    title: str
    rows: Callable[[Context], Iterator[Row | Table]]


def find_groups(package: str = "bench") -> dict[str, Group]:
    """Return the groups by name, in alphabetical order."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    found = {}
    for entry in sorted(pkgutil.iter_modules(spec.submodule_search_locations), key=lambda entry: entry.name):
        if entry.ispkg or entry.name.startswith("_"):
            continue
        module = importlib.import_module(f"{package}.{entry.name}")
        if hasattr(module, "GROUP") and hasattr(module, "rows"):
            found[entry.name] = Group(entry.name, module.GROUP, module.rows)
    return found
