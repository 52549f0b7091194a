"""The nouns of a verdict: findings about one layer, suspects, the shape of the trouble, the whole."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipudebug.comparison import Comparison, LayerResult
    from ipudebug.diagnosis.blame import Blame
    from ipudebug.diagnosis.onset import Jump


class Shape(enum.Enum):
    """How the trouble develops over the layers."""

    CLEAN = "clean"
    ABRUPT = "abrupt"
    GRADUAL = "gradual"
    OSCILLATING = "oscillating"
    INPUT = "wrong from the input on"
    END = "only at the end"


@dataclass(frozen=True)
class Finding:
    """A kind of fault that the data of a layer speak for.

    Attributes:
        kind: name of the detector, or ``unknown``.
        confidence: 0..1; mostly the share of the surprising error that the fault explains.
        evidence: what speaks for it, in one sentence.
        remedy: what to do.
        numbers: what was measured, by name.
    """

    kind: str
    confidence: float
    evidence: str
    remedy: str
    numbers: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Suspect:
    """A layer that may be to blame, with the kinds of fault found in it, the likeliest first."""

    row: LayerResult
    jump: Jump
    findings: tuple[Finding, ...]

    @property
    def finding(self) -> Finding:
        """The likeliest."""
        return self.findings[0]


@dataclass(frozen=True)
class Renamed:
    """A tensor of the sample that, by its content, is one of the benchmark under another name."""

    sample: str
    benchmark: str
    confidence: float
    evidence: str


@dataclass(frozen=True)
class Diagnosis:
    """What a comparison comes to.

    Attributes:
        comparison: what was compared.
        rows: all its results, in order.
        shape: how the trouble develops.
        reason: why this shape, in one sentence.
        suspects: the layers to look at, the likeliest first; empty if all is clean.
        jumps: of every compared row, in their order.
        renamed: tensors that changed their name.
        blame: what the models add; None without.
        notes: what else a user should know, and do.
        parents: compared row -> the compared rows that it is computed from, by their places; None if not known.
    """

    comparison: Comparison
    rows: tuple[LayerResult, ...]
    shape: Shape
    reason: str
    suspects: tuple[Suspect, ...]
    jumps: tuple[Jump, ...]
    renamed: tuple[Renamed, ...] = ()
    blame: Blame | None = None
    parents: Mapping[int, tuple[int, ...]] | None = None
    notes: tuple[str, ...] = ()

    @property
    def prime(self) -> tuple[Suspect, ...]:
        """The suspects worth a look: the first, and those whose error is larger than the layers before let expect."""
        return (*self.suspects[:1], *(suspect for suspect in self.suspects[1:] if suspect.jump.size >= 1))

    @property
    def others(self) -> tuple[Suspect, ...]:
        """The other suspects: their error is what the layers before hand on, as far as the numbers tell."""
        return tuple(suspect for suspect in self.suspects[1:] if 0 < suspect.jump.size < 1)

    @property
    def is_clean(self) -> bool:
        """Whether there is nothing to look at; a tensor that only changed its name is no fault."""
        return self.shape is Shape.CLEAN
