"""Fixed operators of a vendor's model -> nodes with integer kernels, one family a module.

A module exports ``OPERATORS``: the vendor's operator -> a function that appends its nodes and returns True, or returns
False where no kernel fits (the operator then runs on the real values, see ``fixed_graph``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ipudebug.registry import Registry
from ipudebug.sim.vendor.fixed_builder import FixedBuilder
from ipudebug.sim.vendor.tables import VendorOperator

Lower = Callable[[FixedBuilder, VendorOperator], bool]

FAMILIES: Registry[Mapping[str, Lower]] = Registry(__name__, "OPERATORS", "family of fixed operators")


def list_lowerings() -> dict[str, Lower]:
    """Return every operator that has an integer kernel -> its function."""
    return {name: lower for family in FAMILIES.values() for name, lower in family.items()}
