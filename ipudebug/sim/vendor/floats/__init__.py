"""Float operators of a vendor's model -> ONNX nodes, one family a module.

A module exports ``OPERATORS``: the vendor's operator -> a function that appends its nodes to a builder. What the
functions share: outputs have the shape that the file states, or the file is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ipudebug.registry import Registry
from ipudebug.sim.vendor.builder import GraphBuilder
from ipudebug.sim.vendor.tables import VendorOperator

Translate = Callable[[GraphBuilder, VendorOperator], None]

FAMILIES: Registry[Mapping[str, Translate]] = Registry(
    __name__, "OPERATORS", "family of float operators", besides=("activation", "strides")
)


def list_translations() -> dict[str, Translate]:
    """Return every operator that can be translated -> its function."""
    return {name: translate for family in FAMILIES.values() for name, translate in family.items()}
