"""The values of an input_config.ini: every fault, where reading it ends at the first.

The rules are those of ``config``: its readers are called with one group of keys at a time, and where a group fails,
with one input at a time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ipudebug.catalogue import find_known, load_entries
from ipudebug.config.ini import Entry, Ini, NoSectionHeader
from ipudebug.config.sections import read_convolutions, read_inputs, read_outputs
from ipudebug.errors import ConfigError
from ipudebug.sim.constraints.rule import Finding, ModelRule, Subject, report

FORMATS = ("training_input_formats", "input_formats")
INPUT_GROUPS = (
    FORMATS,
    ("quantizations",),
    ("input_layouts",),
    ("mean", "mean_red", "mean_green", "mean_blue"),
    ("std_value",),
    ("input_width_alignment", "input_height_alignment"),
    ("yuv420_h_pitch_alignment", "yuv420_v_pitch_alignment", "xrgb_h_pitch_alignment"),
)
"""Keys of [INPUT_CONFIG] that are judged together; the formats, where they are in order, are there for all."""
OUTPUT_GROUPS = (("dequantizations",), ("output_layouts",))
CONV_GROUPS = (("input_format",), ("tensor_arrays",))
NO_HEADER, OTHER = "003", "ini-other"

Section = Mapping[str, Entry]
Reader = Callable[[Section], Any]


def _judge_values(subject: Subject) -> Iterator[Finding]:
    """Each key of the ini has values that the toolchain takes, as many as there are inputs or outputs."""
    if subject.ini_fault is not None:
        if isinstance(subject.ini_fault, NoSectionHeader):
            yield report(NO_HEADER, subject.ini_fault.message)
        else:
            yield report(OTHER, subject.ini_fault.message, (subject.ini_fault.message,))
    if subject.ini is None:
        return
    scratch = Ini(subject.ini.path)

    def read_input_keys(section: Section) -> Any:
        return read_inputs(section, scratch)

    for name, owner, groups, reader in (
        ("INPUT_CONFIG", "inputs", INPUT_GROUPS, read_input_keys),
        ("OUTPUT_CONFIG", "outputs", OUTPUT_GROUPS, read_outputs),
        ("CONV_CONFIG", "", CONV_GROUPS, read_convolutions),
    ):
        section = {key: entry for key, entry in subject.ini.sections.get(name, {}).items() if entry.items}
        for fault in _find_faults(section, owner, groups, reader):
            yield _translate(fault, subject.ini.path)


def _find_faults(
    section: Section, owner: str, groups: tuple[tuple[str, ...], ...], reader: Reader
) -> Iterator[ConfigError]:
    """Yield every fault of a section once; ``owner`` is the key whose names the others are lists over."""
    if not section:
        return
    base = {owner: section[owner]} if owner in section else {}
    fault = _try(reader, base or dict(section)) if owner else None
    if fault:
        yield fault
        return
    for group in groups:
        stated = {key: section[key] for key in group if key in section}
        fault = _try(reader, base | stated) if stated else None
        if fault:
            yield from _split_fault(fault, base | stated, owner, reader)
        elif group == FORMATS:
            base |= stated


def _split_fault(fault: ConfigError, section: Section, owner: str, reader: Reader) -> Iterator[ConfigError]:
    """Yield one fault for each input that has one; the fault itself where the lists differ in length."""
    length = len(section[owner].items) if owner else 0
    if length < 2 or any(len(entry.items) != length for entry in section.values()):
        yield fault
        return
    for place in range(length):
        one = {key: dataclasses.replace(entry, items=(entry.items[place],)) for key, entry in section.items()}
        alone = _try(reader, one)
        if alone:
            yield alone


def _try(reader: Reader, section: Section) -> ConfigError | None:
    """Return what is wrong with a section, or None."""
    try:
        reader(section)
    except ConfigError as fault:
        return fault
    return None


def _translate(fault: ConfigError, path: str) -> Finding:
    """Return a fault as a finding with the vendor's message, which our messages begin with where there is one."""
    start = fault.message.find(path)
    colon = fault.message.find(": ", start + len(path)) if start >= 0 else -1
    place, found = (fault.message[start:colon], fault.message[colon + 2 :]) if colon >= 0 else ("", fault.message)
    for known in find_known([fault.message], load_entries()):
        entry = next((entry for entry in known.entries if entry.stage == "F"), None)
        if entry is None:
            continue
        return report(entry.key, found, entry.read_values(fault.message), place=place)
    return report(OTHER, found, (fault.message,), place=place)


RULES = (ModelRule((NO_HEADER, OTHER), _judge_values),)
