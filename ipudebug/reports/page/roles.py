"""A diagnosis -> what each layer does to the error, as far as it is known: the colours of the graph and the table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ipudebug.diagnosis import Diagnosis
from ipudebug.diagnosis.blame import LayerBlame, Role

CHANGES = "changes clearly"
"""What is said without models: the error of the layer stands out of what the layers before it hand on."""


@dataclass(frozen=True, slots=True)
class Part:
    """A layer's part in the trouble.

    Attributes:
        word: what it does, such as ``originates``.
        told: the same with its numbers.
    """

    word: str
    told: str

    @property
    def css(self) -> str:
        """Its class in the style sheet."""
        return f"role-{self.word.replace(' ', '-')}"


def find_parts(diagnosis: Diagnosis) -> dict[int, Part]:
    """Return index of a row -> its part; without models only those that change clearly have one."""
    rows = [row for row in diagnosis.rows if row.compared]
    if diagnosis.blame is not None:
        layers = {layer.name: layer for layer in diagnosis.blame.layers}
        known = ((row.index, layers[row.benchmark.info.name]) for row in rows if row.benchmark.info.name in layers)
        return {index: describe_layer(layer) for index, layer in known}
    return {
        row.index: Part(CHANGES, f"{CHANGES}: {jump.size:.3g} x what was to be expected")
        for row, jump in zip(rows, diagnosis.jumps, strict=True)
        if jump.size >= 1
    }


def describe_layer(layer: LayerBlame) -> Part:
    """Return the part of a layer that was computed by itself."""
    word = layer.role.value
    gain = f" x {layer.gain:.2g}" if layer.role.has_gain else ""
    return Part(word, f"{word}{gain}, {layer.share:.1%} of the final error")


def list_words(parts: Iterable[Part]) -> list[str]:
    """Return the words that occur, worst first."""
    used = {part.word for part in parts}
    order = [CHANGES, *(role.value for role in (Role.ORIGINATES, Role.AMPLIFIES, Role.PASSES_ON, Role.ABSORBS))]
    return [word for word in (*order, Role.RIGHT.value) if word in used]
