"""The example's way to the board: original -> float -> fixed -> offline, each made as the commands make it.

All files go to the folder ``ladder`` of the work folder: models under the commands' names, a dump per stage.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipudebug.demo.work_folder import INPUT_CONFIG, MODEL
from ipudebug.files import replace_file
from ipudebug.results import make_folder

if TYPE_CHECKING:
    import numpy as np

    from ipudebug.inputs.feeds import Feeds
    from ipudebug.inputs.images import Sample
    from ipudebug.inputs.preprocess import Preprocess
    from ipudebug.sim.convert import Conversion
    from ipudebug.sim.lower import Lowered
    from ipudebug.sim.simulate import Simulator

FOLDER = "ladder"
CHIP = "souffle"
WIDE_CONFIG = "int16.ini"
FLOAT, FIXED, WIDE, OFFLINE = "model_float.sim", "model_fixed.sim", "int16_fixed.sim", "model_fixed.sim_sgsimg.img"
"""Names of the models; ``WIDE`` is the fixed one with 16 bits everywhere."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """The models of one work folder.

    Attributes:
        folder: the work folder; what ``prepare_folder`` copies is there.
        feeds: the images to calibrate on.
        preprocess: the functions that the feeds are made by.
    """

    folder: str
    feeds: Feeds
    preprocess: Sequence[Preprocess]

    def locate(self, name: str) -> str:
        """Return the path of a file of the ladder."""
        return os.path.join(self.folder, FOLDER, name)

    def make_float(self) -> Conversion:
        """Write the float model, and return what became of the original."""
        from ipudebug.sim.convert import convert_model
        from ipudebug.sim.saving import save_sim

        make_folder(os.path.join(self.folder, FOLDER))
        done = convert_model(os.path.join(self.folder, MODEL), os.path.join(self.folder, INPUT_CONFIG), CHIP)
        save_sim(done.model, self.locate(FLOAT))
        return done

    def make_fixed(self) -> Lowered:
        """Write the fixed model of the float one."""
        return self._calibrate(os.path.join(self.folder, INPUT_CONFIG), FIXED)

    def make_wide(self) -> Lowered:
        """Write the fixed model with ALL_INT16, and the configuration that asks for it."""
        from ipudebug.config.ini import read_text_lines

        lines = read_text_lines(os.path.join(self.folder, INPUT_CONFIG), "input config")
        with replace_file(self.locate(WIDE_CONFIG)) as file:
            file.write("".join(f"{line}\n" for line in lines).replace("ALL_UINT8", "ALL_INT16").encode())
        return self._calibrate(self.locate(WIDE_CONFIG), WIDE)

    def make_offline(self) -> None:
        """Write the offline model of the fixed one."""
        from ipudebug.sim.seal import seal_model

        seal_model(self.locate(FIXED), self.locate(OFFLINE))

    def open(self, name: str) -> Simulator:
        """Return one of the models, ready to run."""
        from ipudebug.sim.loading import load_sim
        from ipudebug.sim.simulate import Simulator

        return Simulator(load_sim(self.locate(name)))

    def _calibrate(self, ini: str, name: str) -> Lowered:
        """Write the fixed model that an ini asks for."""
        from ipudebug.config.ini import read_text_lines
        from ipudebug.config.input_config import load_input_config
        from ipudebug.sim.calibrate import calibrate_model, make_choice
        from ipudebug.sim.fixed_file import save_fixed
        from ipudebug.sim.loading import load_sim
        from ipudebug.sim.model import Stage
        from ipudebug.sim.stage import SimFacts

        config = load_input_config(ini)
        choice = make_choice("L5", None, conv_format=config.conv_format, fuse=True, workers=1, given={})
        facts = SimFacts(Stage.FIXED, CHIP, "\n".join(read_text_lines(ini, "input config")))
        done = calibrate_model(load_sim(self.locate(FLOAT)), self.feeds, self.preprocess, config, facts, choice)
        save_fixed(done.model, self.locate(name))
        return done


def compute_outputs(simulator: Simulator, feeds: Feeds) -> list[np.ndarray]:
    """Return the first output for each sample, in order."""
    return [simulator.run(arrays)[0].array for _, arrays in feeds.fit(simulator.inputs, simulator.norm)]


def dump_layers(simulator: Simulator, feeds: Feeds, sample: Sample, path: str) -> None:
    """Write every layer on one sample to ``path``, as real numbers."""
    from ipudebug.dumps.writer import DIALECTS, write_blocks

    arrays = feeds.prepare(sample, simulator.inputs, simulator.norm)
    recording = simulator.record(arrays, dequantise=True)
    write_blocks(path, recording.records, DIALECTS["simulator"], recording.headers, recording.is_float)


def find_difference(found: Sequence[np.ndarray], wanted: Sequence[np.ndarray]) -> int | None:
    """Return the number of the first array whose bytes are not those of its partner; None where there is none."""
    pairs = zip(found, wanted, strict=True)
    return next((number for number, (a, b) in enumerate(pairs) if a.tobytes() != b.tobytes()), None)
