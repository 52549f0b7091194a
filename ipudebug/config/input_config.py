"""input_config.ini: how a model's inputs, outputs and convolutions are to be treated.

``ini`` is the syntax, ``values`` the kinds of value, ``sections`` the keys, their defaults and the rules between them;
this module is the whole. Messages begin with the vendor's own text where the vendor has one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ipudebug.config.ini import Ini, parse_ini, read_ini
from ipudebug.config.sections import ALIGNMENTS, LEGACY_ALIGNMENTS, read_convolutions, read_inputs, read_outputs
from ipudebug.config.values import Channels
from ipudebug.errors import ConfigError
from ipudebug.tensor import Layout

KEYS = {
    "INPUT_CONFIG": (
        *("inputs", "training_input_formats", "input_formats", "quantizations", "input_layouts"),
        *("mean", "mean_red", "mean_green", "mean_blue", "std_value", *ALIGNMENTS, *LEGACY_ALIGNMENTS),
    ),
    "OUTPUT_CONFIG": ("outputs", "dequantizations", "output_layouts"),
    "CONV_CONFIG": ("input_format", "tensor_arrays"),
}
WITHOUT_EFFECT = ("DYNAMIC_CONFIG", "DUMP_CONFIG", "SKIP_MMU_CONFIG", "OPTIMIZE_CONFIG")
"""Sections of the vendor's that only its own tools act on."""
MOST_NAMES, LONGEST_NAME = 60, 1024
"""Limits of the vendor's parser; beyond them ipudebug only remarks."""


class ConfigNotFound(ConfigError, FileNotFoundError):
    """There is no such ini."""


class UnknownInput(ConfigError, RuntimeError):
    """The ini names an input that the model lacks."""


class UnknownOutput(ConfigError, KeyError):
    """The ini names an output that the model lacks."""


@dataclass(frozen=True)
class InputConfig:
    """Everything that an input_config.ini says; a list over inputs or outputs has one element for each.

    Attributes:
        path: the file.
        inputs: names, in the order of the lists below.
        training_input_formats: what the preprocess returns; empty when the file states no formats.
        input_formats: what the board is fed with; empty when the file states no formats.
        quantizations: whether a RAWDATA input is quantised.
        mean: per input one number per channel, in R, G, B order; ``()`` when not stated.
        std_value: as ``mean``; the normalisation is (x - mean) / std.
        input_layouts: what the preprocess returns.
        input_width_alignment: pixels that a row of the board's buffer is a multiple of.
        input_height_alignment: rows that the buffer is a multiple of.
        legacy_alignments: the older alignment keys that the file states, by key.
        outputs: names, in the order of the lists below.
        dequantizations: whether the board returns float32.
        output_layouts: of the board's outputs.
        conv_format: precision of convolution inputs; None leaves it to the calibration.
        conv_tensors: the convolution inputs concerned; empty means all.
        other_sections: the vendor's sections that have no effect here, section -> key -> items.
        notes: remarks for the user, each complete with file and line.
        places: key -> where it stands, for later messages.
    """

    path: str
    inputs: tuple[str, ...] = ()
    training_input_formats: tuple[str, ...] = ()
    input_formats: tuple[str, ...] = ()
    quantizations: tuple[bool, ...] = ()
    mean: tuple[Channels, ...] = ()
    std_value: tuple[Channels, ...] = ()
    input_layouts: tuple[Layout, ...] = ()
    input_width_alignment: tuple[int, ...] = ()
    input_height_alignment: tuple[int, ...] = ()
    legacy_alignments: Mapping[str, int] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    dequantizations: tuple[bool, ...] = ()
    output_layouts: tuple[Layout, ...] = ()
    conv_format: str | None = None
    conv_tensors: tuple[str, ...] = ()
    other_sections: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    def find_layout(self, name: str) -> Layout | None:
        """Return the declared layout of the input of that name, or None when the file does not list it."""
        return self.input_layouts[self.inputs.index(name)] if name in self.inputs else None

    def check_inputs(self, names: Sequence[str]) -> None:
        """Raise UnknownInput unless every input of the file is among the model's ``names``."""
        for name in self.inputs:
            if name not in names:
                known = f"{self.places['inputs']}: expected the model's inputs ({', '.join(names)}), found {name}"
                raise UnknownInput(f'The model doesn\'t have input named "{name}". {known}', _suggest(name, names))

    def check_outputs(self, names: Sequence[str]) -> None:
        """Raise UnknownOutput unless every output of the file is among the model's ``names``."""
        for name in self.outputs:
            if name not in names:
                known = f"{self.places['outputs']}: expected the model's outputs ({', '.join(names)}), found {name}"
                raise UnknownOutput(f"'{name}' is no output of the model. {known}", _suggest(name, names))


def load_input_config(path: str) -> InputConfig:
    """Return what an input_config.ini says, defaults filled in; the file is never rewritten. Raises ConfigError."""
    if not os.path.exists(path):
        message = f"input_config.ini file not found. expected a file at --input_config, found nothing at {path}"
        raise ConfigNotFound(message, "check the path; cfg/input_config.ini is an annotated template")
    return _take_config(read_ini(path, "input config"))


def parse_input_config(text: str, path: str) -> InputConfig:
    """Return what the text of an input_config.ini says; ``path`` is where it was found. Raises ConfigError."""
    return _take_config(parse_ini(path, text.split("\n")))


def _take_config(ini: Ini) -> InputConfig:
    """Return what a parsed file says."""
    sections = {
        name: {key: entry for key, entry in ini.sections.get(name, {}).items() if entry.items and key in keys}
        for name, keys in KEYS.items()
    }
    entries = [entry for section in sections.values() for entry in section.values()]
    fields = {
        **read_inputs(sections["INPUT_CONFIG"], ini),
        **read_outputs(sections["OUTPUT_CONFIG"]),
        **read_convolutions(sections["CONV_CONFIG"]),
    }
    _note_unknown(ini)
    _note_limits(ini)
    others = {
        name: {key: entry.items for key, entry in section.items()}
        for name, section in ini.sections.items()
        if name in WITHOUT_EFFECT
    }
    places = {entry.key: entry.place for entry in entries}
    return InputConfig(ini.path, **fields, other_sections=others, notes=tuple(ini.notes), places=places)


def _note_unknown(ini: Ini) -> None:
    """Remark on sections and keys that nothing reads."""
    for name, section in ini.sections.items():
        if name in WITHOUT_EFFECT:
            continue
        if name not in KEYS:
            ini.notes.append(f"{ini.path}: unknown section [{name}], ignored" + _near(name, (*KEYS, *WITHOUT_EFFECT)))
            continue
        for key, entry in section.items():
            if key not in KEYS[name]:
                ini.notes.append(f"{entry.place}: unknown key, ignored" + _near(key, KEYS[name]))


def _note_limits(ini: Ini) -> None:
    """Remark on lists that the vendor's parser cannot hold."""
    for name, key in (("INPUT_CONFIG", "inputs"), ("OUTPUT_CONFIG", "outputs")):
        entry = ini.sections.get(name, {}).get(key)
        if entry and len(entry.items) > MOST_NAMES:
            ini.notes.append(f"{entry.place}: {len(entry.items)} names; SigmaStar's tools take {MOST_NAMES}")
        if entry and any(len(item) > LONGEST_NAME for item in entry.items):
            ini.notes.append(f"{entry.place}: a name above {LONGEST_NAME} characters; SigmaStar's tools cut it")


def _near(name: str, known: Sequence[str]) -> str:
    """Return a question that names the nearest known name, or nothing."""
    near = _find_near(name, known)
    return f"; did you mean {near[0]}?" if near else ""


def _suggest(name: str, known: Sequence[str]) -> str:
    """Return the hint for a tensor name that the model lacks."""
    near = _find_near(name, known)
    return (f"did you mean {near[0]}? " if near else "") + "names must be written exactly as in the model"


def _find_near(name: str, known: Sequence[str]) -> list[str]:
    """Return the nearest known name, if one is near."""
    import difflib

    return difflib.get_close_matches(name, known, n=1)
