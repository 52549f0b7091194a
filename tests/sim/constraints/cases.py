"""For each row of the catalogue that a model decides: the smallest model that triggers it, and a twin that passes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from onnx import ModelProto, helper

from tests.sim.constraints.models import INT64, build_model, one, recurrent

Pair = tuple[ModelProto, ModelProto]
I64 = np.int64
F32 = np.float32
REDUCE = ("ReduceSum", "ReduceMin", "ReduceMax", "ReduceMean", "ReduceL2")


def _order() -> Pair:
    first = helper.make_node("Relu", ["x"], ["a"], name="first")
    second = helper.make_node("Relu", ["a"], ["y"], name="second")
    return build_model([second, first], {"x": (1, 3)}, ["y"]), build_model([first, second], {"x": (1, 3)}, ["y"])


def _loop() -> Pair:
    add = helper.make_node("Add", ["x", "b"], ["a"], name="add")
    relu = helper.make_node("Relu", ["a"], ["b"], name="relu")
    straight = helper.make_node("Add", ["x", "x"], ["a"], name="add")
    return build_model([add, relu], {"x": (1, 3)}, ["b"]), build_model([straight, relu], {"x": (1, 3)}, ["b"])


def _shape_from_values() -> Pair:
    def build(source: str) -> ModelProto:
        nodes = [
            helper.make_node(source, ["x"], ["s"], name="source"),
            helper.make_node("Cast", ["s"], ["shape"], to=INT64),
            helper.make_node("Reshape", ["x", "shape"], ["y"], name="reshape"),
        ]
        return build_model(nodes, {"x": (2, 3)}, ["y"])

    return build("Relu"), build("Shape")


def _expand_from_values() -> Pair:
    def build(source: str) -> ModelProto:
        nodes = [
            helper.make_node(source, ["x"], ["s"], name="source"),
            helper.make_node("Cast", ["s"], ["shape"], to=INT64),
            helper.make_node("Expand", ["x", "shape"], ["y"], name="expand"),
        ]
        return build_model(nodes, {"x": (2,)}, ["y"])

    return build("Relu"), build("Shape")


def _concat(count: int) -> ModelProto:
    return build_model([helper.make_node("Concat", ["x"] * count, ["y"], axis=0)], {"x": (1,)}, ["y"])


def _attribute(op: str, name: str, bad: object, good: object, shape: tuple[int, ...] = (1, 3, 8, 8)) -> Pair:
    return one(op, shape, **{name: bad}), one(op, shape, **{name: good})


def _indexed(op: str, **attributes: object) -> ModelProto:
    return one(op, (4, 4), more={"indices": (4, 4), "updates": (4, 4)}, axis=0, **attributes)


def _resize(**attributes: object) -> ModelProto:
    scales = np.array([1, 1, 2, 2], F32)
    return one("Resize", more={"scales": scales}, skip=1, **attributes)


def _convolution(op: str, dimensions: int, **attributes: object) -> ModelProto:
    weight = np.zeros((4, 2, *[3] * dimensions), F32)
    return one(op, (1, 4, *[8] * dimensions), more={"w": weight}, **attributes)


def _topk(**attributes: object) -> ModelProto:
    return one("TopK", (1, 8), more={"k": np.array([2], I64)}, outputs=2, **attributes)


def _cumsum(**attributes: object) -> ModelProto:
    return one("CumSum", more={"a": np.array(0, I64)}, **attributes)


def _normalised(opset: int = 20, **attributes: object) -> ModelProto:
    extra = {name: np.ones(3, F32) for name in ("scale", "bias", "mean", "var")}
    return one("BatchNormalization", more=extra, opset=opset, **attributes)


def _layer(shape: tuple[int, ...] = (2, 3), **attributes: object) -> ModelProto:
    return one("LayerNormalization", shape, more={"scale": np.ones(shape[-1], F32)}, **attributes)


def _reshape(shape: list[int], **attributes: object) -> ModelProto:
    return one("Reshape", (2, 3, 4), more={"shape": np.array(shape, I64)}, **attributes)


LSTM_ACTIVATIONS = ["Sigmoid", "Tanh", "Tanh"]
CASES: dict[str, Callable[[], Pair]] = {
    "004": _loop,
    "005": _order,
    "006": lambda: (one("Relu", opset=21), one("Relu", opset=20)),
    "007": lambda: (
        one("Pad", more={"pads": np.array([1, 1], I64), "v": np.array(0, F32), "axes": np.array([3], I64)}),
        one("Pad", more={"pads": np.array([0, 0, 0, 1, 0, 0, 0, 1], I64), "v": np.array(0, F32)}),
    ),
    "008": lambda: (one("MeanVarianceNormalization", (1, 3, 8)), one("MeanVarianceNormalization")),
    "009": _expand_from_values,
    "010": lambda: (recurrent("RNN", np.array([4, 4], np.int32)), recurrent("RNN")),
    "011": lambda: (recurrent("RNN", clip=1.0), recurrent("RNN")),
    "012": lambda: (recurrent("RNN", activation_beta=[0.5]), recurrent("RNN")),
    "013": lambda: (recurrent("RNN", activation_alpha=[0.02]), recurrent("RNN", activation_alpha=[0.01])),
    "014": lambda: (recurrent("RNN", direction="reverse"), recurrent("RNN", direction="forward")),
    "015": lambda: (recurrent("RNN", activations=["Relu"]), recurrent("RNN", activations=["Tanh"])),
    "016": lambda: (
        one("Pad", more={"pads": np.zeros(8, I64)}, mode="edge"),
        one("Pad", more={"pads": np.zeros(8, I64)}, mode="reflect"),
    ),
    "017": lambda: (one("Mod", more={"z": (1,)}, fmod=1), one("Mod", more={"z": (1,)}, fmod=0)),
    "018": lambda: (recurrent("LSTM", (2,)), recurrent("LSTM", np.array([4, 4], np.int32))),
    "019": lambda: (recurrent("LSTM", clip=1.0), recurrent("LSTM")),
    "020": lambda: (recurrent("LSTM", activation_beta=[0.5]), recurrent("LSTM")),
    "021": lambda: (recurrent("LSTM", activation_alpha=[0.0]), recurrent("LSTM", activation_alpha=[0.01, 0.01])),
    "022": lambda: (recurrent("LSTM", layout=1), recurrent("LSTM", layout=0)),
    "023": lambda: (recurrent("LSTM", input_forget=1), recurrent("LSTM", input_forget=0)),
    "024": lambda: (recurrent("LSTM", direction="reverse"), recurrent("LSTM", direction="bidirectional")),
    "025": lambda: (
        recurrent("LSTM", activations=["Sigmoid", "Tanh", "Relu"]),
        recurrent("LSTM", direction="bidirectional", activations=LSTM_ACTIVATIONS * 2),
    ),
    "026": lambda: (_layer(stash_type=0), _layer(stash_type=1)),
    "027": lambda: (_layer(axis=-2), _layer(axis=-1)),
    "028": lambda: (recurrent("GRU", (2,)), recurrent("GRU", np.array([4, 4], np.int32))),
    "029": lambda: (recurrent("GRU", layout=1), recurrent("GRU", layout=0)),
    "030": lambda: (recurrent("GRU", direction="reverse"), recurrent("GRU", direction="bidirectional")),
    "031": lambda: (recurrent("GRU", clip=1.0), recurrent("GRU")),
    "032": lambda: (
        recurrent("GRU", activations=["Sigmoid", "Relu"]),
        recurrent("GRU", activations=["Sigmoid", "Tanh"]),
    ),
    "033": lambda: (recurrent("GRU", activation_alpha=[0.01]), recurrent("GRU")),
    "034": lambda: (one("Gelu", domain="com.microsoft"), one("Relu")),
    "035": lambda: (
        one("Upsample", opset=9, more={"s": np.array([1, 2, 2, 2], F32)}),
        one("Upsample", opset=9, more={"s": np.array([1, 1, 2, 2], F32)}),
    ),
    "036": lambda: (_topk(sorted=0), _topk(sorted=1)),
    "037": lambda: (_topk(largest=0), _topk(largest=1)),
    "038": lambda: (one("Sum", more={"z": (1,), "w": (1,)}), one("Sum", more={"z": (1,)})),
    "040": _shape_from_values,
    "041": lambda: (
        one("ScatterND", (4, 4), more={"i": (1, 1), "u": (1, 4)}, reduction="add"),
        one("ScatterND", (4, 4), more={"i": (1, 1), "u": (1, 4)}, reduction="none"),
    ),
    "042": lambda: (_indexed("ScatterElements", reduction="mul"), _indexed("ScatterElements")),
    "043": lambda: (_resize(nearest_mode="ceil"), _resize(nearest_mode="round_prefer_ceil")),
    "044": lambda: (_resize(mode="cubic"), _resize(mode="linear")),
    "045": lambda: (_resize(keep_aspect_ratio_policy="not_larger"), _resize(keep_aspect_ratio_policy="stretch")),
    "046": lambda: (_resize(exclude_outside=1), _resize(exclude_outside=0)),
    "047": lambda: (
        _resize(coordinate_transformation_mode="half_pixel_symmetric"),
        _resize(coordinate_transformation_mode="pytorch_half_pixel"),
    ),
    "048": lambda: (_resize(antialias=1), _resize(antialias=0)),
    "049": lambda: (
        one("Resize", more={"sizes": np.array([1, 6, 8, 8], I64)}, skip=2),
        one("Resize", more={"sizes": np.array([1, 3, 16, 16], I64)}, skip=2),
    ),
    "050": lambda: (_reshape([2, 12], allowzero=1), _reshape([2, 12], allowzero=0)),
    "051": lambda: (one("Relu", ("N", 3)), one("Relu", (1, 3))),
    "052": lambda: _attribute("ReduceL2", "noop_with_empty_axes", 1, 0),
    "053": lambda: (one("OneHot", (4,), more={"d": (1,), "v": (2,)}), one("Relu")),
    "054": lambda: (one("DepthToSpace", (1, 6, 2, 2), blocksize=2), one("DepthToSpace", (1, 8, 2, 2), blocksize=2)),
    "055": lambda: (
        one("CumSum", more={"a": np.array(0, I64)}, reverse=1),
        one("CumSum", more={"a": np.array(0, I64)}),
    ),
    "056": lambda: (
        one("CumSum", more={"a": np.array(0, I64)}, exclusive=1),
        one("CumSum", more={"a": np.array(0, I64)}),
    ),
    "057": lambda: (
        _convolution("ConvTranspose", 3, pads=[0, 0, 3, 0, 0, 3]),
        _convolution("ConvTranspose", 3, pads=[0, 0, 2, 0, 0, 2]),
    ),
    "058": lambda: (_convolution("ConvTranspose", 2, output_shape=[16, 16]), _convolution("ConvTranspose", 2)),
    "059": lambda: (_convolution("Conv", 3, strides=[1, 1, 32]), _convolution("Conv", 3, strides=[32, 31, 31])),
    "060": lambda: (_convolution("Conv", 3, group=2), _convolution("Conv", 2, group=2)),
    "061": lambda: (_concat(10001), _concat(10000)),
    "062": lambda: (_normalised(training_mode=1), _normalised(training_mode=0)),
    "063": lambda: (_normalised(7, spatial=0), _normalised(7, spatial=1)),
    "064": lambda: (_normalised(6, is_test=1), _normalised(6, is_test=0)),
    "065": lambda: (
        one("AveragePool", kernel_shape=[180, 180], strides=[300, 300]),
        one("AveragePool", kernel_shape=[64, 192], strides=[300, 300]),
    ),
    "066": lambda: (
        one("AveragePool", kernel_shape=[3, 3], pads=[0, 256, 0, 0]),
        one("AveragePool", kernel_shape=[3, 3], pads=[0, 255, 0, 255]),
    ),
    "067": lambda: (one("AveragePool", kernel_shape=[300, 300]), one("AveragePool", kernel_shape=[12288, 1])),
    "068": lambda: (
        one("AveragePool", kernel_shape=[2, 2], dilations=[1, 2]),
        one("AveragePool", kernel_shape=[2, 2], dilations=[1, 1]),
    ),
    "069": lambda: _attribute("ArgMax", "select_last_index", 1, 0),
    "070": lambda: _attribute("ArgMin", "select_last_index", 1, 0),
    "077": lambda: (one("NonZero", (4,)), one("Relu", (4,))),
    "078": lambda: (_reshape([-1, -1, 2]), _reshape([-1, 0, 2])),
    "080": lambda: (one("MaxPool", kernel_shape=[6029313, 1]), one("MaxPool", kernel_shape=[2048, 2944])),
}
"""Row -> trigger and twin, built when asked for."""
