"""Runs of a simulated model and of the original in one process, in turns; prints JSON.

    python -m bench.rivals.steady_state ORIGINAL.onnx MODEL.sim PREPROCESS.py IMAGES ROUNDS

A round runs every image of the folder on onnxruntime, then on the simulator, and takes the best time of each; models
are open and images preprocessed before, one round goes unrecorded. ``theirs`` and ``ours`` are the seconds of every
round; ``cos`` is that between the outputs of the two over all images, of the output where it is least; ``repeats``
tells whether the last round made the same bits as the first.
"""

import json
import runpy
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime as ort

from bench.data.cosine import measure_cosine
from ipudebug.inputs.feeds import load_feeds
from ipudebug.sim.loading import load_sim
from ipudebug.sim.read import read_input_config
from ipudebug.sim.simulate import Simulator

SETTLE = 0.05
"""Seconds in which the threads of one side stop spinning before the other side runs."""

Outputs = dict[str, np.ndarray]


def open_plain(model: str, preprocess: str, images: list[str]) -> list[Callable[[], Outputs]]:
    """Return a run of onnxruntime for each image, optimisation on."""
    prepare = runpy.run_path(preprocess)["image_preprocess"]
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    name, outputs = session.get_inputs()[0].name, [output.name for output in session.get_outputs()]
    feeds = [{name: np.ascontiguousarray(prepare(image, True).transpose(0, 3, 1, 2))} for image in images]
    return [lambda feed=feed: dict(zip(outputs, session.run(None, feed), strict=True)) for feed in feeds]


def open_simulator(path: str, preprocess: str, folder: str) -> list[Callable[[], Outputs]]:
    """Return a run of the simulator for each image."""
    model = load_sim(path)
    simulator = Simulator(model)
    loaded = load_feeds(folder, preprocess, read_input_config(model))
    feeds = [arrays for _, arrays in loaded.fit(simulator.inputs, simulator.norm)]
    return [lambda feed=feed: {one.info.name: one.array for one in simulator.run(feed)} for feed in feeds]


def run_round(runs: list[Callable[[], Outputs]]) -> tuple[float, list[Outputs]]:
    """Return the seconds of the fastest run, and what all of them gave."""
    seconds, results = [], []
    for run in runs:
        start = time.perf_counter()
        results.append(run())
        seconds.append(time.perf_counter() - start)
    time.sleep(SETTLE)
    return min(seconds), results


def to_nhwc(array: np.ndarray) -> np.ndarray:
    """Return a 4-D array with the channels last, as the simulator gives it."""
    return array.transpose(0, 2, 3, 1) if array.ndim == 4 else array


def main() -> None:
    """Take turns and print what was measured."""
    original, sim, preprocess, folder, rounds = sys.argv[1:6]
    images = [str(path) for path in sorted(Path(folder).iterdir())]
    plain, simulated = open_plain(original, preprocess, images), open_simulator(sim, preprocess, folder)
    _, expected = run_round(plain)
    _, first = run_round(simulated)
    theirs, ours = [], []
    last = first
    for _ in range(int(rounds)):
        theirs.append(run_round(plain)[0])
        seconds, last = run_round(simulated)
        ours.append(seconds)
    cosines = [
        measure_cosine(np.stack([to_nhwc(one[name]) for one in expected]), np.stack([one[name] for one in first]))
        for name in expected[0]
    ]
    repeats = all(np.array_equal(a[name], b[name]) for a, b in zip(first, last, strict=True) for name in a)
    print(json.dumps({"theirs": theirs, "ours": ours, "cos": min(cosines), "repeats": repeats}))


if __name__ == "__main__":
    main()
