"""How far a fixed model is from its float model, layer by layer over all images; prints JSON.

    python -m bench.data.layer_accuracy MODEL_float.sim MODEL_fixed.sim PREPROCESS.py IMAGES ORIGINAL.onnx

Every layer that both models show under one name and with as many values. The sums run over the values of all images,
in plain float64 numpy: COS = S(ab) / sqrt(S(a2) S(b2)), RMSE = S|a-b| / S|b|, SQNR = 10 log10(S(b2) / S((a-b)2)), with
b of the float model. ``layers`` are rows of name, COS, RMSE, SQNR in execution order, ``outputs`` the COS of the final
ones, ``original`` the least COS of float model and original, ``unchanged`` the share of images whose largest value of
the first output is at the same place, ``apart`` the layers of the fixed model that have no partner.
"""

import json
import math
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime as ort

from bench.data.cosine import measure_cosine
from ipudebug.inputs.feeds import load_feeds
from ipudebug.sim.loading import load_sim
from ipudebug.sim.read import read_input_config
from ipudebug.sim.simulate import Simulator

Layers = dict[str, np.ndarray]


class Sums:
    """What is added up of one layer."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.ab = self.aa = self.bb = self.dd = self.abs_d = self.abs_b = 0.0

    def add(self, a: np.ndarray, b: np.ndarray) -> None:
        """Take up the layer of one image; ``b`` is the float model's."""
        x, y = a.astype(np.float64).reshape(-1), b.astype(np.float64).reshape(-1)
        d = x - y
        self.ab, self.aa, self.bb, self.dd = self.ab + x @ y, self.aa + x @ x, self.bb + y @ y, self.dd + d @ d
        self.abs_d, self.abs_b = self.abs_d + np.abs(d).sum(), self.abs_b + np.abs(y).sum()

    def measure(self) -> tuple[float, float, float]:
        """Return COS, RMSE and SQNR in decibels; SQNR is infinite where the layers are equal."""
        scale = math.sqrt(self.aa * self.bb)
        cosine = self.ab / scale if scale else float(self.dd == 0)
        error = self.abs_d / self.abs_b if self.abs_b else math.inf if self.abs_d else 0.0
        noise = 10 * math.log10(self.bb / self.dd) if self.dd and self.bb else math.inf if not self.dd else -math.inf
        return float(cosine), float(error), noise


def run_layers(simulator: Simulator, feed: Layers) -> tuple[Layers, Layers]:
    """Return every layer of a run by name, and the final outputs."""
    recording = simulator.record(feed, dequantise=True)
    layers = {
        record.info.name: np.array(record.array)
        for record in recording.records
        if record.info.role == "out" and not record.info.constant
    }
    return layers, {one.info.name: one.array for one in recording.outputs}


def open_side(path: str, preprocess: str, images: str) -> Iterator[tuple[Layers, Layers]]:
    """Yield what ``run_layers`` gives for every image of a folder."""
    model = load_sim(path)
    simulator = Simulator(model)
    feeds = load_feeds(images, preprocess, read_input_config(model))
    for _, feed in feeds.fit(simulator.inputs, simulator.norm):
        yield run_layers(simulator, feed)


def open_original(path: str, preprocess: str, images: str) -> Iterator[Layers]:
    """Yield the final outputs of the original for every image of a folder, 4-D ones with the channels last."""
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    prepare = runpy.run_path(preprocess)["image_preprocess"]
    names = [output.name for output in session.get_outputs()]
    for image in sorted(path for path in Path(images).iterdir() if path.suffix in (".jpg", ".png")):
        nchw = np.ascontiguousarray(prepare(str(image), True).transpose(0, 3, 1, 2))
        arrays = session.run(None, {session.get_inputs()[0].name: nchw})
        nhwc = [array.transpose(0, 2, 3, 1) if array.ndim == 4 else array for array in arrays]
        yield dict(zip(names, nhwc, strict=True))


def main() -> None:
    """Run both models and the original on every image and print what was found."""
    floating, fixed, preprocess, images, original = sys.argv[1:6]
    sides = [open_side(path, preprocess, images) for path in (floating, fixed)]
    layers: dict[str, Sums] = {}
    finals: dict[str, Sums] = {}
    apart: set[str] = set()
    count, same, least = 0, 0, 1.0
    for truth, real, quantised in zip(open_original(original, preprocess, images), *sides, strict=True):
        (benchmark, expected), (sample, found) = real, quantised
        for name, array in sample.items():
            if name in benchmark and benchmark[name].size == array.size:
                layers.setdefault(name, Sums()).add(array, benchmark[name])
            else:
                apart.add(name)
        for name, array in found.items():
            finals.setdefault(name, Sums()).add(array, expected[name])
            least = min(least, measure_cosine(truth[name], expected[name]))
        first = next(iter(expected))
        same += int(found[first].argmax() == expected[first].argmax())
        count += 1
    answer = {
        "layers": [[name, *sums.measure()] for name, sums in layers.items()],
        "outputs": {name: sums.measure()[0] for name, sums in finals.items()},
        "original": least,
        "unchanged": same / count,
        "images": count,
        "apart": sorted(apart),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
