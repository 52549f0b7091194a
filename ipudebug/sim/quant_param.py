"""The JSON of a fixed model's quantisation (SPEC 9), out and in.

A list with one object per tensor: ``min`` and ``max`` are lists of one number, or of one per output channel of a
weight; ``name``; ``bit``, 8 or 16. What is read back in takes the place of what calibration would measure.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ipudebug.errors import ConfigError, ModelError
from ipudebug.files import OpenFile, replace_file
from ipudebug.sim.fixed_file import StoredRange, read_ranges
from ipudebug.sim.model import SimModel
from ipudebug.sim.quantisation import Range

if TYPE_CHECKING:
    from onnx import ModelProto

BITS = {"uint8": 8, "int8": 8, "int16": 16, "int32": 16, "float32": 16}
"""dtype -> what the vendor's script writes as ``bit``."""
ENDS = {"uint8": (0, 255), "int8": (-127, 127), "int16": (-32767, 32767), "int32": (-(2**31) + 1, 2**31 - 1)}
"""The integers that a range is made of where the model does not say what it was."""
LARGEST = 1 << 30
"""Bytes of a file that is still read."""


class QuantFileFault(ConfigError, ValueError):
    """A quantisation file that is not in order."""


@dataclass(frozen=True)
class QuantParam:
    """What a quantisation file says of one tensor: ranges as float32 arrays of equal length, and 4, 8 or 16 bits."""

    low: np.ndarray
    high: np.ndarray
    bit: int

    @property
    def range(self) -> Range:
        """The range of the whole tensor."""
        return Range(float(self.low.min()), float(self.high.max()))


def list_quant_params(model: SimModel) -> list[dict[str, Any]]:
    """Return the objects of the file for a fixed model, ours or the vendor's; raises ModelError for another stage.

    A model of the vendor's says no more here than its scales: the range is then that of all integers.
    """
    if not model.stage.is_integer:
        message = f"{model.path}: expected a fixed model, found a {model.stage.value} model"
        raise ModelError(message, "make one with `ipudebug calibrate`")
    ranges = read_ranges(model.graph, model.path) if model.kind == "ipudebug" else _derive_ranges(model)
    return [{"min": low, "max": high, "name": name, "bit": bit} for name, (low, high, bit) in ranges.items()]


def _derive_ranges(model: SimModel) -> dict[str, StoredRange]:
    """Return the ranges that a model's scales and zero points stand for."""
    ranges = {}
    for name, info in model.tensors.items():
        if info.quant is None or info.dtype.name not in ENDS:
            continue
        pairs = list(zip(info.quant.scale, info.quant.zero_point, strict=True))
        low, high = ([(end - zero) * scale for scale, zero in pairs] for end in ENDS[info.dtype.name])
        ranges[name] = low, high, BITS[info.dtype.name]
    return ranges


def write_quant_params(model: SimModel, path: str) -> int:
    """Write the file for a fixed model and return how many tensors are in it; raises ModelError, OutputError."""
    params = list_quant_params(model)
    with replace_file(path) as file:
        file.write(json.dumps(params, indent=4).encode() + b"\n")
    return len(params)


def read_quant_file(path: str) -> Mapping[str, QuantParam]:
    """Return what a quantisation file says, by tensor; raises QuantFileFault or ConfigError."""
    file = OpenFile(path, "the quantisation file", ConfigError)
    if file.size > LARGEST:
        raise QuantFileFault(f"{path}: larger than {LARGEST} bytes", "is it the right file?")
    raw = file.read(file.size, 0)
    if raw[:1] == b"\x80":
        message = f"{path} is a pickle, which can run any program when it is read"
        raise QuantFileFault(message, "save the parameters as JSON: save_quant_param --output_mode JSON")
    try:
        params = json.loads(raw)
    except (ValueError, RecursionError) as reason:
        raise QuantFileFault(f"{path} is no JSON: {reason}", "make it with `ipudebug save-quant-param`") from None
    if not isinstance(params, list):
        raise _fault(path, "quant_param must be a `list`", params)
    found = {}
    for place, entry in enumerate(params):
        where = f"quant_param[{place}]"
        if not isinstance(entry, dict):
            raise _fault(path, f"each {where} must be `dict`", entry)
        if not isinstance(entry.get("name"), str):
            raise _fault(path, f"name of each {where} must be `str`", entry.get("name"))
        if entry["name"] in found:
            raise _fault(path, f"name of each {where} must be given once", entry["name"])
        found[entry["name"]] = _read_entry(path, where, entry)
    return found


def _read_entry(path: str, where: str, entry: dict[str, Any]) -> QuantParam:
    """Return one object; raises QuantFileFault."""
    ends = []
    for key in ("min", "max"):
        values = entry.get(key)
        if not isinstance(values, list) or not values:
            raise _fault(path, f"{key} of each {where} must be `list`", values)
        if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
            raise _fault(path, f"{key} of each {where} must be a `list` of numbers", values)
        with np.errstate(over="ignore"):
            ends.append(np.array(values, np.float64).astype(np.float32))
        if not np.isfinite(ends[-1]).all():
            raise _fault(path, f"{key} of each {where} must be finite", values)
    bit = entry.get("bit")
    if isinstance(bit, bool) or bit not in (4, 8, 16):
        raise _fault(path, f"bit of each {where} must be 4, 8 or 16", bit)
    low, high = ends
    if len(low) != len(high) or (low > high).any():
        message = f"min of each {where} must not exceed max, and have as many numbers"
        raise _fault(path, message, {key: entry[key] for key in ("name", "min", "max")})
    return QuantParam(low, high, bit)


def note_strangers(given: Mapping[str, QuantParam], source: SimModel, made: ModelProto, path: str) -> list[str]:
    """Return remarks on what has no effect of a quantisation file: an empty list, 4 bits, names that nothing has."""
    if not given:
        return [f"{path}: the list is empty: every range is measured"]
    known = {*read_ranges(made, path), *source.tensors}
    strangers = [name for name in given if name not in known]
    fours = [name for name, param in given.items() if param.bit == 4 and name in known]
    notes = [f"{path}: 4 bits are none of calibrate's; 8 were taken for {_shorten(fours)}"] if fours else []
    if not strangers:
        return notes
    near = difflib.get_close_matches(strangers[0], known, n=1)
    shown = _shorten(strangers) + (f"; did you mean {near[0]}?" if near else "")
    return [*notes, f"{path}: {len(strangers)} of {len(given)} names are no tensors of the model: {shown}"]


def _shorten(names: Sequence[str]) -> str:
    """Return the first five names, and how many follow."""
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _fault(path: str, message: str, found: object) -> QuantFileFault:
    """Return the error for a file."""
    shown = repr(found)
    return QuantFileFault(
        f"{message}. {path}: found {shown if len(shown) <= 60 else shown[:57] + '...'}",
        "make the file with `ipudebug save-quant-param`, and change numbers only",
    )
