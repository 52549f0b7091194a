"""DebugConfig.txt: which tensors a simulation dumps, how, and where to. One switch per line; ``path=`` names a folder.

SDK 1.1.5 takes a line for a switch when it begins with the switch's name, whatever follows, and passes over everything
else in silence. Here ``#`` and ``//`` start comments, blanks and CRLF do not matter, and a line that does nothing is
told: as an error when it looks like a slip of the pen, else as a note.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from ipudebug.config.ini import read_text_lines
from ipudebug.errors import ConfigError

SWITCHES = {
    "dumpTensor": "dump_tensor",
    "eliminateGarbage": "eliminate_garbage",
    "dequantFixed": "dequant_fixed",
    "dumpasstring": "dump_as_string",
    "disableDomainFuseOps": "disable_domain_fuse_ops",
    "dumpdonotrecovery": "dump_do_not_recovery",
}
"""The word in the file -> the attribute of DebugConfig."""
LONGEST_PATH = 122
"""Bytes that SigmaStar's tools take for ``path=``."""


@dataclass(frozen=True, slots=True)
class DebugConfig:
    """What a DebugConfig.txt switches on.

    Attributes:
        dump_tensor: the master switch: dump at all.
        eliminate_garbage: drop the alignment padding of fixed tensors.
        dequant_fixed: write the integers of a fixed model as float32; a comparison needs it.
        dump_as_string: text instead of binary.
        disable_domain_fuse_ops: for calibrating: fuse no domains, so that inner tensors can be dumped.
        dump_do_not_recovery: undocumented; no effect is known.
        path: the output folder; None stands for the user's home folder.
        notes: remarks for the user, each complete with file and line.
    """

    dump_tensor: bool = False
    eliminate_garbage: bool = False
    dequant_fixed: bool = False
    dump_as_string: bool = False
    disable_domain_fuse_ops: bool = False
    dump_do_not_recovery: bool = False
    path: str | None = None
    notes: tuple[str, ...] = ()


def load_debug_config(path: str) -> DebugConfig:
    """Return what the DebugConfig.txt at ``path`` says; raises ConfigError."""
    switches: dict[str, bool] = {}
    folder: str | None = None
    folder_place = ""
    notes: list[str] = []
    for number, line in enumerate(read_text_lines(path, "debug config"), start=1):
        place = f"{path}, line {number}"
        text = _drop_comment(line)
        word, equals, value = (part.strip() for part in text.partition("="))
        if not text:
            continue
        if word == "path" and equals:
            if folder_place:
                raise ConfigError(f"{place}: expected one path=, found another at {folder_place}", "remove one of them")
            folder, folder_place = value or None, place
        elif word in SWITCHES and not equals:
            switches[SWITCHES[word]] = True
        elif word in SWITCHES:
            message = f"{place}: expected {word} alone, found {text!r}"
            raise ConfigError(message, f"a switch takes no value: the line {word} is on, #{word} is off")
        else:
            notes.append(_note_unknown(place, word))
    if folder is not None:
        _check_folder(folder, folder_place, switches.get("dump_tensor", False), notes)
    return DebugConfig(**switches, path=folder, notes=tuple(notes))


def _drop_comment(line: str) -> str:
    """Return the line without comment and blanks; in a path a ``#`` inside a word is kept."""
    text = line.strip()
    if text.startswith(("#", "//")):
        return ""
    for place, char in enumerate(text):
        if char == "#" and (text[place - 1].isspace() or not text.startswith("path")):
            return text[:place].strip()
    return text


def _note_unknown(place: str, word: str) -> str:
    """Return the note on a word that is no switch; raises ConfigError when it looks like a misspelt one."""
    import difflib

    known = (*SWITCHES, "path=")
    same = [name for name in known if name.rstrip("=").lower() == word.lower()]
    near = same or difflib.get_close_matches(word, known, n=1, cutoff=0.75)
    if near:
        raise ConfigError(
            f"{place}: expected a switch, found {word!r}", f"did you mean {near[0]}? spelling and case count"
        )
    return f"{place}: unknown switch, ignored: {word} (known: {', '.join(known)})"


def _check_folder(folder: str, place: str, dumping: bool, notes: list[str]) -> None:
    """Remark on a folder that SigmaStar's tools would not take; raises ConfigError if dumping into it is impossible."""
    if not os.path.isdir(folder):
        message = f"{place}: path= expected an existing folder, found none at {folder}"
        if dumping:
            raise ConfigError(message, "create the folder, or leave path= empty for your home folder")
        notes.append(message)
    if not os.path.isabs(folder):
        notes.append(f"{place}: path= is relative; it starts at the working directory")
    if len(os.fsencode(folder)) > LONGEST_PATH:
        notes.append(f"{place}: path= is longer than the {LONGEST_PATH} bytes that SigmaStar's tools take")
