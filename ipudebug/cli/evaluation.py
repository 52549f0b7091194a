"""One image through a simulated model: what is fed, run, written and drawn, in whichever process it is done."""

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


class Done(NamedTuple):
    """What became of one sample: remarks for the user, and the number of records that were dumped."""

    notes: tuple[str, ...]
    records: int = 0


@dataclass
class Evaluation:
    """What is done with every sample.

    Attributes:
        model: what runs.
        feeds: the samples; its remarks come back from ``evaluate``.
        category: ``unknown``, ``classification`` or ``detection``.
        results: the result file of each sample.
        raw: the files for the input bytes of each sample, one an input; None where they are not asked for.
        drawings: the picture of each sample; None where they are not asked for.
        threshold: score of the boxes that are drawn.
        skip_garbage: write outputs in their own shape.
        threads: of one operator of a float model; None leaves it to onnxruntime.
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
        arrays = self._prepare(number)
        self._write(number, self.simulator.run(arrays))
        return self._finish()

    def dump(self, number: int, path: str, config: DebugConfig) -> Done:
        """Do what ``evaluate`` does, and dump every layer to ``path`` meanwhile."""
        from ipudebug.cli.debug_dump import write_recording

        arrays = self._prepare(number)
        recording = self.simulator.record(arrays, dequantise=config.dequant_fixed)
        count = write_recording(recording, path, config)
        self._write(number, recording.outputs)
        return self._finish(count)

    def _prepare(self, number: int) -> dict[str, np.ndarray]:
        """Return what the preprocess makes of a sample, its input bytes written if they are asked for."""
        simulator = self.simulator
        arrays = self.feeds.prepare(self.feeds.samples[number], simulator.inputs, simulator.norm)
        if self.raw is not None:
            for path, data in zip(self.raw[number], simulator.pack(arrays), strict=True):
                with replace_file(path) as file:
                    file.write(data.data)
        return arrays

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
            self.feeds.note(f"{os.path.basename(image)}: {shown} of {len(found)} boxes drawn")

    def _finish(self, records: int = 0) -> Done:
        """Return the remarks since the last sample."""
        done = Done(tuple(self.notes), records)
        self.notes.clear()
        return done
