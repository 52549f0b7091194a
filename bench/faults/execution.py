"""Models -> the tensors of every node, and as dumps in memory."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
import onnxruntime
from onnx import helper

from ipudebug.tensor import Layout, Tensor, TensorInfo


def run_all(model: onnx.ModelProto, feed: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return every float tensor that the nodes make, in their order."""
    observed = onnx.ModelProto()
    observed.CopyFrom(model)
    del observed.graph.output[:]
    del observed.graph.value_info[:]
    names = [name for node in observed.graph.node for name in node.output if name and node.op_type != "Constant"]
    observed.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(observed.SerializeToString(), options, providers=["CPUExecutionProvider"])
    arrays = session.run(names, dict(feed))
    return {name: array for name, array in zip(names, arrays, strict=True) if array.dtype == np.float32 and array.size}


class MemoryDump:
    """A dump that was never written: what ``dump-onnx`` would hold, and the model's input; see DumpReader."""

    is_float = True
    notes = ()

    def __init__(self, path: str, image: Mapping[str, np.ndarray], tensors: Mapping[str, np.ndarray]) -> None:
        self.path = path
        self._tensors = [
            *(_make_tensor(name, array, 0, "in") for name, array in image.items()),
            *(_make_tensor(name, array, index, "out") for index, (name, array) in enumerate(tensors.items())),
        ]
        self.infos = tuple(tensor.info for tensor in self._tensors)

    def read(self, index: int) -> Tensor:
        """Return one tensor."""
        return self._tensors[index]


def _make_tensor(name: str, array: np.ndarray, index: int, role: str) -> Tensor:
    """Return a tensor as a dump has it, 4-D ones in NHWC."""
    layout = None
    if array.ndim == 4:
        array, layout = np.ascontiguousarray(array.transpose(0, 2, 3, 1)), Layout.NHWC
    return Tensor(TensorInfo(name, array.shape, array.dtype, None, layout, "OP", index, 0, role), array)  # type: ignore[arg-type]
