"""Run a model on one image and nothing else, optimisation off: what any dump costs at least.

    python plain_inference.py MODEL IMAGE PREPROCESS.py [OUT.npz]

With OUT.npz the outputs are kept, by name.
"""

import runpy
import sys

import numpy as np
import onnxruntime as ort


def main() -> None:
    """Infer once."""
    model, image, preprocess = sys.argv[1:4]
    feed = runpy.run_path(preprocess)["image_preprocess"](image, True)
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    nchw = np.ascontiguousarray(feed.transpose(0, 3, 1, 2))
    outputs = session.run(None, {session.get_inputs()[0].name: nchw})
    if len(sys.argv) > 4:
        np.savez(sys.argv[4], **{out.name: array for out, array in zip(session.get_outputs(), outputs, strict=True)})


if __name__ == "__main__":
    main()
