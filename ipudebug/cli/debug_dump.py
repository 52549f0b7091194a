"""DebugConfig.txt in the working directory -> the dump of a simulation."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from ipudebug.config.debug_config import DebugConfig, load_debug_config

if TYPE_CHECKING:
    from ipudebug.sim.model import SimModel
    from ipudebug.sim.simulate import Recording

CONFIG = "DebugConfig.txt"
DUMP = "sigma_outtensor_dump.bin"


def find_debug_config(note: Callable[[str], object]) -> DebugConfig:
    """Return what the DebugConfig.txt in the working directory says; nothing is on where there is none."""
    config = load_debug_config(CONFIG) if os.path.exists(CONFIG) else DebugConfig()
    for text in config.notes:
        note(text)
    return config


def name_dump(config: DebugConfig) -> str:
    """Return where the dump goes."""
    return os.path.join(config.path or os.path.expanduser("~"), DUMP)


def note_switches(config: DebugConfig, model: SimModel, note: Callable[[str], object]) -> None:
    """Remark on what the switches of a dump do here, where a user may expect something else."""
    if config.disable_domain_fuse_ops:
        note(f"{CONFIG}: disableDomainFuseOps acts while a model is calibrated: this one is dumped as it is")
    if config.dump_do_not_recovery:
        note(f"{CONFIG}: dumpdonotrecovery has no known effect, and none here")
    if config.dump_as_string:
        note(f"{CONFIG}: dumpasstring: the dump is text, for reading; a comparison needs it off")
    if not model.stage.is_integer:
        return
    if not config.eliminate_garbage:
        note(
            f"{CONFIG}: eliminateGarbage is off, but there is no hardware whose padding could be dumped: tensors are "
            "dense, as with it on; the vendor's dump would be in the hardware's layout"
        )
    for board in model.inputs:
        if board.name in model.converted:
            continue  # a dump has it in the order that training used
        if board.input_format in ("RGBA", "BGRA") and board.input_format[:3] != board.training_format[:3]:
            note(
                f"input {board.name} is dumped as the board is fed, {board.input_format}; that of a float model is "
                f"{board.training_format}: compared with it, its colours are in another order"
            )
    if not config.dequant_fixed:
        note(f"{CONFIG}: dequantFixed is off: the dump holds integers; a comparison needs it on")


def write_recording(recording: Recording, path: str, config: DebugConfig) -> int:
    """Write the records of a dump while the model runs, and return their number; raises OutputError or ModelError."""
    if config.dump_as_string:
        from ipudebug.dumps.text import write_text
        from ipudebug.files import replace_file

        with replace_file(path) as file:
            written = write_text(
                file,
                recording.records,
                recording.headers,
                is_float=recording.is_float,
                with_shape=True,
                blank_line=not config.eliminate_garbage,
            )
    else:
        from ipudebug.dumps.writer import DIALECTS, write_blocks

        dialect = DIALECTS["simulator"]
        written = write_blocks(path, recording.records, dialect, recording.headers, recording.is_float)
    return len(written)
