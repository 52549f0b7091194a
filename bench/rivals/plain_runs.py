"""Run a model on every image of a folder and nothing else: onnxruntime as it is, optimisation on.

    python plain_runs.py MODEL IMAGES PREPROCESS.py [OUT.npz]

With OUT.npz the outputs are kept, by name, those of all images stacked.
"""

import runpy
import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort


def main() -> None:
    """Infer once for each image."""
    model, images, preprocess = sys.argv[1:4]
    prepare = runpy.run_path(preprocess)["image_preprocess"]
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    results = []
    for image in sorted(Path(images).iterdir()):
        nchw = np.ascontiguousarray(prepare(str(image), True).transpose(0, 3, 1, 2))
        results.append(session.run(None, {name: nchw}))
    if len(sys.argv) > 4:
        outputs = zip(session.get_outputs(), zip(*results, strict=True), strict=True)
        np.savez(sys.argv[4], **{output.name: np.stack(arrays) for output, arrays in outputs})


if __name__ == "__main__":
    main()
