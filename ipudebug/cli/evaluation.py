"""One image through a simulated model: what is fed, run, written and drawn, in whichever process or thread."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ipudebug.files import replace_file
from ipudebug.results import write_classification, write_result

if TYPE_CHECKING:
    import numpy as np

    from ipudebug.config.debug_config import DebugConfig
    from ipudebug.inputs.feeds import Feeds
    from ipudebug.sim.model import SimModel
    from ipudebug.sim.simulate import Simulator
    from ipudebug.tensor import Tensor


class Fed(NamedTuple):
    """What the preprocess made of one sample, and remarks for the user."""

    arrays: dict[str, np.ndarray]
    notes: tuple[str, ...]


class Done(NamedTuple):
    """What became of one sample: remarks for the user, and the number of records that were dumped."""

    notes: tuple[str, ...]
    records: int = 0


@dataclass
class Evaluation:
    """What is done with every sample.

    Attributes:
        model: what runs.
        feeds: the samples.
        category: ``unknown``, ``classification`` or ``detection``.
        results: the result file of each sample.
        raw: the files for the input bytes of each sample, one an input; None where they are not asked for.
        drawings: the picture of each sample; None where they are not asked for.
        threshold: score of the boxes that are drawn.
        skip_garbage: write outputs in their own shape.
        threads: of one operator of a float model; None leaves it to onnxruntime.
        notes: where ``feeds`` puts its remarks; they come back with the sample.
        remarks: where whatever runs the model puts its own; these do, too.
    """

    model: SimModel
    feeds: Feeds
    category: str
    results: Sequence[str]
    raw: Sequence[Sequence[str]] | None = None
    drawings: Sequence[str] | None = None
    threshold: float = 0.0
    skip_garbage: bool = False
    threads: int | None = None
    notes: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    _simulator: Simulator | None = None

    @property
    def simulator(self) -> Simulator:
        """The model, ready to run: opened where it is needed first, so that every process has its own."""
        from ipudebug.sim.simulate import Simulator

        if self._simulator is None:
            self._simulator = Simulator(self.model, threads=self.threads)
        return self._simulator

    def run_on(self, simulator: Simulator | None) -> None:
        """Run on this one, which is somewhere else; None: on the PC, as ever."""
        self._simulator = simulator or self._simulator

    def evaluate(self, number: int) -> Done:
        """Run the model on a sample and write what is asked for."""
        return self.finish(number, self.prepare(number))

    def prepare(self, number: int) -> Fed:
        """Return what the preprocess makes of a sample, its input bytes written if they are asked for."""
        simulator = self.simulator
        arrays = self.feeds.prepare(self.feeds.samples[number], simulator.inputs, simulator.norm)
        if self.raw is not None:
            for path, data in zip(self.raw[number], simulator.pack(arrays), strict=True):
                with replace_file(path) as file:
                    file.write(data.data)
        return Fed(arrays, _take(self.notes))

    def finish(self, number: int, fed: Fed) -> Done:
        """Run the model on a sample that is prepared, and write what is asked for."""
        self._write(number, self.simulator.run(fed.arrays))
        return Done((*fed.notes, *_take(self.remarks)))

    def dump(self, number: int, path: str, config: DebugConfig) -> Done:
        """Do what ``evaluate`` does, and dump every layer to ``path`` meanwhile."""
        from ipudebug.cli.debug_dump import write_recording

        fed = self.prepare(number)
        recording = self.simulator.record(fed.arrays, dequantise=config.dequant_fixed)
        count = write_recording(recording, path, config)
        self._write(number, recording.outputs)
        return Done((*fed.notes, *_take(self.remarks)), count)

    def _write(self, number: int, outputs: list[Tensor]) -> None:
        """Write the result file of a sample, and its picture."""
        path, image = self.results[number], self.feeds.samples[number][0]
        if self.category == "classification":
            write_classification(path, image, outputs[0].array)
        elif self.category == "detection":
            self._write_detections(path, image, outputs, number)
        else:
            write_result(path, outputs, None if self.skip_garbage else self.simulator.alignment)

    def _write_detections(self, path: str, image: str, outputs: list[Tensor], number: int) -> None:
        """Write the boxes of a sample, and draw them."""
        from ipudebug.cli.detections import draw_detections, measure_image, read_detections, write_detections

        found = read_detections(outputs, measure_image(image))
        write_detections(path, image, found)
        if self.drawings is not None:
            shown = draw_detections(image, self.drawings[number], found, self.threshold)
            self.remarks.append(f"{os.path.basename(image)}: {shown} of {len(found)} boxes drawn")


def _take(notes: list[str]) -> tuple[str, ...]:
    """Return the remarks since the last sample."""
    taken = tuple(notes)
    notes.clear()
    return taken
