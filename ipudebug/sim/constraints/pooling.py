"""AveragePool, MaxPool."""

from __future__ import annotations

import math
from collections.abc import Callable

from ipudebug.sim.constraints.node import Node
from ipudebug.sim.constraints.rule import NodeRule, Offence, Subject


def _limit_area(limit: str, *, prints_values: bool) -> Callable[[Node, Subject], Offence | None]:
    """Return a test that height times width of the window stays within a limit of the chip."""

    def test(node: Node, subject: Subject) -> Offence | None:
        kernel = node.read_list("kernel_shape", int)
        strides = node.read_list("strides", int) or [1] * len(kernel)
        now, older = subject.chips.limits[limit].value, subject.chips.limits[limit].older
        area = math.prod(kernel)
        values = (" ".join(map(str, kernel)), " ".join(map(str, strides))) if prints_values else ()
        if now is not None and area > now:
            return Offence(f"window of {area}, at most {now}", values)
        if older is not None and area > older:
            return Offence(f"window of {area}; older toolchains take at most {older}", values, "note")
        return None

    return test


def _limit_pads(node: Node, subject: Subject) -> Offence | None:
    """No pad is above the chip's limit."""
    pads, limit = node.read_list("pads", int), subject.chips.limits["average-pool-pad"].value
    return Offence(f"pads={pads}") if limit is not None and any(pad > limit for pad in pads) else None


def _refuse_dilations(node: Node, _: Subject) -> Offence | None:
    """The window has no holes."""
    dilations = node.read_list("dilations", int)
    return Offence(f"dilations={dilations}") if any(dilation != 1 for dilation in dilations) else None


RULES = (
    NodeRule("065", ("AveragePool",), _limit_area("average-pool-area", prints_values=True)),
    NodeRule("066", ("AveragePool",), _limit_pads),
    NodeRule("068", ("AveragePool",), _refuse_dilations),
    NodeRule("080", ("MaxPool",), _limit_area("max-pool-area", prints_values=False)),
)
