"""Dump a model the vendor's way: one run of the whole model for every output, one struct.pack for every value.

python vendor_dump.py MODEL IMAGE PREPROCESS.py OUT.bin
"""

import runpy
import struct
import sys

import numpy as np
import onnx
import onnxruntime as ort


def expose_outputs(path: str) -> onnx.ModelProto:
    """Return the model with every tensor as an output."""
    model = onnx.load(path)
    known = {info.name for info in model.graph.output}
    for node in model.graph.node:
        model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in node.output if name not in known)
    return model


def main() -> None:
    """Write the dump."""
    path, image, preprocess, out = sys.argv[1:5]
    feed = runpy.run_path(preprocess)["image_preprocess"](image, True)
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    model = expose_outputs(path)
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    inputs = {session.get_inputs()[0].name: np.ascontiguousarray(feed.transpose(0, 3, 1, 2))}
    ops = {name: node.name or node.op_type for node in model.graph.node for name in node.output}
    names = [output.name for output in session.get_outputs()]
    with open(out, "wb") as file:
        file.write(b"isFloat: 1\n")
        for index, name in enumerate([*names[1:], names[0]]):
            (array,) = session.run([name], inputs)
            if array.ndim == 4:
                array = array.transpose(0, 2, 3, 1)
            header = (
                f"//out 0 s: 0.000000 z: 0 type: float name: {name} bConstant:0 "
                f"shape:{list(array.shape)} dims:{array.ndim}\n"
                f"op_out[{index}] {ops[name]} = {{\n//buffer data size: {4 * array.size}\n"
            )
            file.write(header.encode())
            for value in array.flatten():
                file.write(struct.pack("f", value))


if __name__ == "__main__":
    main()
