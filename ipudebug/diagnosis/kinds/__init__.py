"""Kinds of fault: the evidence of one layer -> a finding.

A detector is one module here that exports ``KIND``. Its name is the module's name.
"""

from __future__ import annotations

from typing import Protocol

from ipudebug.diagnosis.evidence import Evidence
from ipudebug.diagnosis.verdict import Finding
from ipudebug.registry import Registry


class Detector(Protocol):
    """Looks for one kind of fault.

    Attributes:
        rank: of two findings that explain the error equally well the one with the lower rank is believed: it assumes
            less.
        least: confidence below which the finding is not told.
    """

    rank: int
    least: float

    def examine(self, layer: Evidence) -> Finding | None:
        """Return what was found, or None if the data do not speak for this kind."""
        ...


KINDS: Registry[Detector] = Registry(__name__, "KIND", "kind of fault", dashes=True)

_AS_GOOD = 0.06  # a finding within this of the best explains the error equally well

_NOISE = 0.5  # jump below which a layer makes no error of its own that is worth a name

UNKNOWN = Finding(
    "unknown",
    0.0,
    "the error follows none of the patterns that are known",
    "give the model (--float-model) to see the layer alone; look at its input, weights and attributes in Netron",
)


def examine_layer(layer: Evidence) -> tuple[Finding, ...]:
    """Return the findings about a layer, the likeliest first; UNKNOWN if there is none."""
    found = []
    for detector in KINDS.values():
        finding = detector.examine(layer)
        if finding is not None and finding.confidence >= detector.least:
            found.append((detector.rank, finding))
    if not found:
        return (UNKNOWN,)
    best = max(finding.confidence for _, finding in found)
    found.sort(key=lambda entry: (entry[1].confidence < best - _AS_GOOD, entry[0], -entry[1].confidence))
    if layer.jump < _NOISE:  # what the layers before it hand on has a structure, too
        found.sort(key=lambda entry: entry[1].kind != "rounding")
    return tuple(finding for _, finding in found)
