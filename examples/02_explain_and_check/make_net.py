"""Write net.onnx, which the toolchain would refuse, and changed.onnx, which computes the same and passes.

Run it with ``python make_net.py``; both files are small and lie here already.
"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save


def save_net(path: str, nodes: list, batch: int | str) -> None:
    """Write the nodes between ``images`` and ``scores``, the two smallest values of each row of an enlarged image."""
    fed = helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch, 3, 8, 8])
    made = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [batch, 3, 16, 2])
    scales = numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "scales")
    k = numpy_helper.from_array(np.array([2]), "k")
    graph = helper.make_graph(nodes, "net", [fed], [made], [scales, k])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


resize = helper.make_node("Resize", ["images", "", "scales"], ["large"], name="/up/Resize", mode="linear")
smallest = helper.make_node("TopK", ["large", "k"], ["scores", "index"], name="/head/TopK", largest=0)
save_net("net.onnx", [resize, smallest], "batch")

negated = [
    helper.make_node("Neg", ["large"], ["turned"], name="/head/Neg"),
    helper.make_node("TopK", ["turned", "k"], ["largest", "index"], name="/head/TopK"),
    helper.make_node("Neg", ["largest"], ["scores"], name="/head/Neg_1"),
]
save_net("changed.onnx", [resize, *negated], 1)
