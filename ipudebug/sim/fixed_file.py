"""A fixed model -> its file; and what its scales were made of, which stands in the metadata ``ipudebug.ranges``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ipudebug.errors import ModelError
from ipudebug.files import replace_file
from ipudebug.sim.saving import LARGEST_FILE
from ipudebug.sim.stage import PREFIX

if TYPE_CHECKING:
    from onnx import ModelProto

StoredRange = tuple[list[float], list[float], int]
"""Smallest values, largest values, bits: one element each, or one per output channel of a weight."""


RANGES = f"{PREFIX}ranges"
"""The key of the metadata that hold them."""


def write_ranges(model: ModelProto, ranges: Mapping[str, StoredRange]) -> None:
    """Add to a model's metadata what the scales of its tensors were made of, as JSON."""
    model.metadata_props.add(key=RANGES, value=json.dumps(ranges))


def read_ranges(model: ModelProto, path: str) -> dict[str, StoredRange]:
    """Return what the scales of a fixed model's tensors were made of; raises ModelError where that is damaged."""
    text = next((entry.value for entry in model.metadata_props if entry.key == RANGES), "")
    try:
        stored: dict[str, Any] = json.loads(text)
        return {
            name: ([float(value) for value in low], [float(value) for value in high], int(bit))
            for name, (low, high, bit) in stored.items()
        }
    except (AttributeError, TypeError, ValueError) as reason:
        hint = "the file was changed: make it again with `ipudebug calibrate`"
        raise ModelError(f"{path}: {RANGES} in its metadata is damaged: {reason}", hint) from None


def save_fixed(model: ModelProto, path: str) -> None:
    """Write a fixed model to ``path``, replacing what is there; raises ModelError, OutputError.

    onnxruntime has no kernels for its nodes and is not asked whether it loads.
    """
    import onnx

    size = sum(len(tensor.raw_data) for tensor in model.graph.initializer)
    if size > LARGEST_FILE:
        message = f"{path}: its weights of {size:,} bytes are more than one file holds ({LARGEST_FILE:,})"
        raise ModelError(message, "cut the model in two with --output_arrays and --input_arrays of convert")
    data = model.SerializeToString()
    try:
        onnx.checker.check_model(data)
    except onnx.checker.ValidationError as reason:
        words = " ".join(str(reason).split())
        raise ModelError(f"{path} would be no valid ONNX model: {words}", "please report this model") from None
    with replace_file(path) as file:
        file.write(data)
