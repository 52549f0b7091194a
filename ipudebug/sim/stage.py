"""The metadata of a simulated model: its stage, and what it was made with (docs/simulation.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipudebug.errors import ModelError
from ipudebug.sim.model import Stage
from ipudebug.tensor import Layout

if TYPE_CHECKING:
    from onnx import ModelProto

PREFIX = "ipudebug."
VERSION = "1"
"""Of the format; a reader refuses any other."""


@dataclass(frozen=True, slots=True)
class SimFacts:
    """What a simulated model says about itself.

    Attributes:
        stage: float or fixed; an offline model is a fixed one behind a seal.
        chip: the ``--soc_version`` that it was made for.
        input_config: text of the input_config.ini that it was made with.
        layout: of its 4-D tensors: NCHW in ours, NHWC in what was translated from the vendor's.
    """

    stage: Stage
    chip: str
    input_config: str
    layout: Layout = Layout.NCHW


def write_facts(model: ModelProto, facts: SimFacts) -> None:
    """Put ``facts`` into the model's metadata, in place of any that it has; other metadata stays."""
    others = [(entry.key, entry.value) for entry in model.metadata_props if not entry.key.startswith(PREFIX)]
    own = {
        "stage": facts.stage.value,
        "version": VERSION,
        "chip": facts.chip,
        "input_config": facts.input_config,
        "layout": facts.layout.value,
    }
    del model.metadata_props[:]
    for key, value in (*others, *((PREFIX + key, value) for key, value in own.items())):
        model.metadata_props.add(key=key, value=value)


def read_facts(metadata: Mapping[str, str], path: str) -> SimFacts | None:
    """Return the facts in a model's metadata, or None where there are none: the model is an original one.

    Raises ModelError, which names ``path``, for a version of the format that is not this one, or for what is no fact.
    """
    own = {key.removeprefix(PREFIX): value for key, value in metadata.items() if key.startswith(PREFIX)}
    if "stage" not in own:
        return None
    again = "convert the original model again with this version of ipudebug"
    if own.get("version") != VERSION:
        found = own.get("version", "none")
        raise ModelError(f"{path}: expected a simulated model of format version {VERSION}, found {found}", again)
    stages = {stage.value: stage for stage in (Stage.FLOAT, Stage.FIXED)}
    layouts = {layout.value: layout for layout in Layout}
    for key, known in (("stage", list(stages)), ("layout", list(layouts))):
        if own.get(key) not in known:
            raise ModelError(f"{path}: {PREFIX}{key}: expected {' or '.join(known)}, found {own.get(key)}", again)
    return SimFacts(stages[own["stage"]], own.get("chip", ""), own.get("input_config", ""), layouts[own["layout"]])
