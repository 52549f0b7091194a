"""Calibration as a whole: any net can be calibrated, and the result depends on nothing but model, images and ini."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from ipudebug.errors import ModelError
from ipudebug.sim.calibrate import Choice, make_choice, name_output
from ipudebug.sim.convert import convert_model
from ipudebug.sim.fixed_file import save_fixed
from ipudebug.sim.loading import load_sim
from ipudebug.sim.precision import NoConvolutionInput
from ipudebug.sim.quant_param import list_quant_params, read_quant_file
from ipudebug.sim.saving import save_sim
from ipudebug.sim.simulate import Simulator
from tests.sim.calibrated import CHIP, Calibrated, calibrate_file, calibrate_net, real, write_net
from tests.sim.mixed_net import build_net
from tests.sim.random_nets import RandomNet


def bytes_of(made: Calibrated) -> bytes:
    data: bytes = made.lowered.model.SerializeToString()
    return data


def inputs_of(made: Calibrated, name: str) -> set[str]:
    """Types of what convolutions named by their output read and weigh with."""
    weights = {
        tensor.name: onnx.numpy_helper.to_array(tensor).dtype.name for tensor in made.lowered.model.graph.initializer
    }
    types = {info.name: info.type.tensor_type.elem_type for info in made.lowered.model.graph.value_info}
    node = next(node for node in made.lowered.model.graph.node if name in node.output)
    read = onnx.helper.tensor_dtype_to_np_dtype(types.get(node.input[0], onnx.TensorProto.UINT8)).name
    return {read, weights[node.input[1]]}


@pytest.mark.parametrize("seed", range(12))
def test_random_nets(seed: int, tmp_path: Path) -> None:
    made = calibrate_net(RandomNet(seed).build(8), tmp_path, seed=seed)
    assert min(made.likeness(tmp_path / "net_float.sim").values()) > 0.98


def test_workers_make_no_difference_nor_does_a_second_time(tmp_path: Path) -> None:
    made = [calibrate_net(build_net(), tmp_path, choice=Choice("mse", workers=workers)) for workers in (1, 1, 3)]
    assert len({bytes_of(each) for each in made}) == 1


def test_the_order_of_images_makes_no_difference(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    arrays = [[random.standard_normal((1, 3, 8, 8)).astype(np.float32)] for _ in range(5)]
    first, second = (
        calibrate_net(build_net(), tmp_path, choice=Choice("entropy"), arrays=list(order))
        for order in (arrays, arrays[::-1])
    )
    assert bytes_of(first) == bytes_of(second)


@pytest.mark.parametrize("method", ["min-max", "percentile", "mse", "entropy"])
def test_every_method_makes_a_model_that_is_like_the_float_one(method: str, tmp_path: Path) -> None:
    made = calibrate_net(build_net(), tmp_path, choice=Choice(method))
    assert made.likeness(tmp_path / "net_float.sim")["y"] > 0.98


def test_fusing_domains_hides_tensors_and_changes_no_bit(tmp_path: Path) -> None:
    fused, apart = (calibrate_net(build_net(), tmp_path, choice=Choice(fuse=fuse)) for fuse in (True, False))
    shown, all_shown = (each.trace() for each in (fused, apart))
    assert set(all_shown) - set(shown) == {"c", "m", "q", "t"}
    for name, tensor in shown.items():
        assert np.array_equal(tensor.array, all_shown[name].array), name
    first = fused.fixed.operations[0]
    assert (first.in_type, first.out_type, first.inputs[0], first.outputs) == ("CONV_2D", "RELU", "x", ("r",))
    assert [operation.index for operation in fused.fixed.operations] == list(range(len(fused.fixed.operations)))


def test_what_feeds_a_convolution_has_8_bits_all_else_16(tmp_path: Path) -> None:
    made = calibrate_net(build_net(), tmp_path, formats="RGB", mean="0:0:0", std_value="1")
    types = {name: tensor.array.dtype.name for name, tensor in made.trace().items()}
    assert {name for name, kind in types.items() if kind == "uint8"} == {"r", "k", "u", "g", "h", "h#rows"}


@pytest.mark.parametrize(
    ("conv_format", "tensors", "wide"),
    [
        ("ALL_UINT8", "", ""),
        ("ALL_INT16", "", "e q i"),
        ("CONV2D_INT16", "", "q i"),
        ("DEPTHWISE_INT16", "", "e"),
        ("ALL_INT16", "k", "q"),
        ("ALL_UINT8", "k", ""),
    ],
)
def test_conv_config_chooses_precision(conv_format: str, tensors: str, wide: str, tmp_path: Path) -> None:
    more = f"[CONV_CONFIG]\ninput_format = {conv_format};\n" + (f"tensor_arrays = {tensors};\n" if tensors else "")
    made = calibrate_net(build_net(), tmp_path, more, formats="RGB", mean="0:0:0", std_value="1")
    outputs = {"e": "k", "q": "q", "i": "i#rows"}
    found = {name for name, output in outputs.items() if inputs_of(made, output) == {"int16"}}
    assert found == set(wide.split())
    assert all(inputs_of(made, output) == {"uint8", "int8"} for name, output in outputs.items() if name not in found)
    assert inputs_of(made, "c") == {"uint8", "int8"}, "the first convolution keeps 8 bits"


@pytest.mark.parametrize(
    ("conv_format", "tensor", "words"),
    [
        ("ALL_INT16", "t", r"expected tensors that feed a CONV_2D or DEPTHWISE_CONV_2D, found t"),
        ("CONV2D_INT16", "r", r"expected tensors that feed a CONV_2D, found r"),
        ("DEPTHWISE_INT16", "rr", r"expected tensors that feed a DEPTHWISE_CONV_2D, found rr"),
    ],
)
def test_a_tensor_that_feeds_no_convolution_is_told(conv_format: str, tensor: str, words: str, tmp_path: Path) -> None:
    more = f"[CONV_CONFIG]\ninput_format = {conv_format};\ntensor_arrays = {tensor};\n"
    with pytest.raises(NoConvolutionInput, match=words) as raised:
        calibrate_net(build_net(), tmp_path, more)
    assert "net.ini, line" in raised.value.message
    assert raised.value.hint is not None
    assert "only these can be chosen" in raised.value.hint


def test_a_quantisation_file_reproduces_the_model(tmp_path: Path) -> None:
    made = calibrate_net(build_net(), tmp_path, choice=Choice("mse"))
    path = tmp_path / "net_fixed.sim.json"
    path.write_text(json.dumps(list_quant_params(made.fixed)))
    again = calibrate_net(build_net(), tmp_path, choice=Choice(given=read_quant_file(str(path))))
    assert bytes_of(again) == bytes_of(made)


def test_a_quantisation_file_can_raise_a_tensor_to_16_bits(tmp_path: Path) -> None:
    made = calibrate_net(build_net(), tmp_path)
    params = list_quant_params(made.fixed)
    assert next(param for param in params if param["name"] == "k")["bit"] == 8
    path = tmp_path / "wider.json"
    path.write_text(json.dumps([{**param, "bit": 16} if param["name"] == "k" else param for param in params]))
    again = calibrate_net(build_net(), tmp_path, choice=Choice(given=read_quant_file(str(path))))
    assert inputs_of(again, "q") == {"int16"}


def test_level_1_has_one_scale_for_all_channels(tmp_path: Path) -> None:
    each, one = (calibrate_net(build_net(), tmp_path, choice=Choice(per_channel=per)) for per in (True, False))
    assert len(set(each.fixed.tensors["w"].quant.scale)) == 4  # type: ignore[union-attr]
    assert len(set(one.fixed.tensors["w"].quant.scale)) == 1  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("level", "method", "conv_format", "expected"),
    [
        ("L1", None, None, ("min-max", False)),
        ("L4", None, None, ("mse", True)),
        ("L5", None, None, ("min-max", True)),
        ("L5", "percentile", None, ("percentile", True)),
        ("L4", None, "ALL_INT16", ("min-max", True)),
        ("L1", None, "ALL_INT16", ("min-max", False)),
    ],
)
def test_levels(level: str, method: str | None, conv_format: str | None, expected: tuple[str, bool]) -> None:
    choice = make_choice(level, method, conv_format=conv_format, fuse=True, workers=1, given={})
    assert (choice.method, choice.per_channel) == expected


def test_names() -> None:
    assert name_output("a/net_float.sim") == "a/net_fixed.sim"
    assert name_output("a/net.sim") == "a/net_fixed.sim"
    assert name_output("net") == "net_fixed.sim"


def test_numbers_that_are_none_are_told(tmp_path: Path) -> None:
    array = np.full((1, 3, 8, 8), np.nan, np.float32)
    with pytest.raises(ModelError, match=r"x: expected finite numbers, found nan to nan on 0"):
        calibrate_net(build_net(), tmp_path, arrays=[[array]])


def test_a_tensor_that_is_always_zero_does_no_harm(tmp_path: Path) -> None:
    made = calibrate_net(build_net(), tmp_path, arrays=[[np.zeros((1, 3, 8, 8), np.float32)]])
    assert made.likeness(tmp_path / "net_float.sim")["y"] > 0.9999


def test_real_values_of_a_dump_are_its_integers_times_the_scale(tmp_path: Path) -> None:
    made = calibrate_net(build_net(), tmp_path)
    save_fixed(made.lowered.model, str(tmp_path / "net_fixed.sim"))
    simulator = Simulator(load_sim(str(tmp_path / "net_fixed.sim")))
    arrays = {"x": np.ascontiguousarray(made.arrays[0][0])}
    raw = list(simulator.record(arrays, dequantise=False).records)
    reals = list(simulator.record(arrays, dequantise=True).records)
    assert [tensor.info.name for tensor in raw] == [tensor.info.name for tensor in reals]
    for integers, floats in zip(raw, reals, strict=True):
        if integers.info.quant is not None and not integers.info.constant:
            assert np.array_equal(real(integers).astype(np.float32), floats.array), integers.info.name


def test_calibrating_a_file_of_several_inputs(tmp_path: Path) -> None:
    model = onnx.parser.parse_model("""
        <ir_version: 8, opset_import: ["" : 17]>
        net (float[1,2,4,4] x, float[1,3] z, int64[1] n) => (float[1,5] y)
        { g = GlobalAveragePool(x) f = Flatten(g) c = Concat<axis=1>(f, z) i = Cast<to=1>(n) y = Add(c, i) }
    """)
    arrays = [
        [np.full((1, 2, 4, 4), place, np.float32), np.full((1, 3), -place, np.float32), np.array([place], np.int64)]
        for place in range(4)
    ]
    path, ini = write_net(model, tmp_path)
    save_sim(convert_model(path, ini, CHIP).model, str(tmp_path / "net_float.sim"))
    made = calibrate_file(str(tmp_path / "net_float.sim"), ini, arrays=arrays)
    assert made.likeness(tmp_path / "net_float.sim")["y"] > 0.9999
