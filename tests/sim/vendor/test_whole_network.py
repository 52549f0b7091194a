"""A whole float network with odd channels and uneven padding, through the commands, layer by layer against LiteRT."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from bench.data.vendor_sim import FLOAT, Operator, Sim, Tensor, write_sim
from ipudebug.dumps import open_dump
from tests.command import run_command
from tests.sim.vendor.litert import run_litert

RANDOM = np.random.default_rng(17)
X = RANDOM.normal(size=(1, 9, 14, 3)).astype(np.float32)
PREPROCESS = "import numpy\ndef image_preprocess(path, norm=True):\n    assert norm\n    return numpy.load(path)\n"


def constant(name: str, *shape: int) -> Tensor:
    return Tensor(name, shape, data=RANDOM.normal(size=shape).astype(np.float32) / 2, flag=0)


def integers(name: str, *values: int) -> Tensor:
    return Tensor(name, (len(values),), "int32", np.array(values), flag=0)


def build_network(plain: bool) -> Sim:
    """Return the network; the plain form has TFLite's slots only, and every layer among its outputs."""
    window = {0: ("i8", 0), 1: ("i32", 2), 2: ("i32", 2), 3: ("i8", 3)}
    spread = {0: ("i8", 0), 1: ("i32", 1), 2: ("i32", 1), 3: ("i32", 2), 4: ("i8", 1), 5: ("i32", 2), 6: ("i32", 1)}
    masks = {0: ("i32", 1), 1: ("i32", 1), 2: ("i32", 0), 3: ("i32", 0), 4: ("i32", 0)}
    layers: list[tuple[str, tuple[int, ...], int, list[str], dict | None, int]] = [
        ("conv", (1, 5, 7, 5), 3, ["x", "w", "b"], window, 1),
        ("deep", (1, 5, 7, 10), 4, ["conv", "dw", "db"], spread, 2),
        ("sum", (1, 5, 7, 10), 0, ["deep", "shift"], {0: ("i8", 0)}, 11),
        ("cut", (1, 3, 3, 10), 45, ["sum", "begin", "end", "step"], masks, 32),
        ("large", (1, 5, 7, 10), 23, ["cut", "size"], {2: ("u8", 1), 3: ("u8", 0)}, 15),
        ("joined", (1, 5, 7, 15), 2, ["conv", "large"], {0: ("i32", -1)}, 10),
        ("turned", (1, 15, 5, 7), 39, ["joined", "order"], {}, 26),
        ("mean", (1, 15), 40, ["turned", "axes"], {0: ("i8", 0)}, 27),
        ("full", (1, 4), 9, ["mean", "fw", "fb"], {0: ("i8", 0)}, 8),
        ("prob", (1, 4), 25, ["full"], {0: ("f32", 1.0)}, 9),
    ]
    tensors = {tensor.name: tensor for tensor in (Tensor("x", X.shape, flag=1), *CONSTANTS)}
    tensors |= {name: Tensor(name, shape) for name, shape, *_ in layers}
    places = {name: number for number, name in enumerate(tensors)}
    operators = [
        Operator(code, [places[end] for end in inputs], [places[name]], options, kind)
        for name, _, code, inputs, options, kind in layers
    ]
    outputs = [places[name] for name, *_ in layers] if plain else [places["prob"]]
    description = "plain" if plain else FLOAT
    return Sim(list(tensors.values()), operators, [0], outputs, description, plain=plain)


CONSTANTS = [
    constant("w", 5, 3, 3, 3), constant("b", 5), constant("dw", 1, 3, 3, 10), constant("db", 10),
    constant("shift", 7, 1), integers("begin", 9, 0, 6, 0), integers("end", 9, 5, 0, 10), integers("step", 1, 2, -2, 1),
    integers("size", 5, 7), integers("order", 0, 3, 1, 2), integers("axes", -1, 2), constant("fw", 4, 15),
    constant("fb", 4),
]  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.sim").write_bytes(write_sim(build_network(plain=False)))
    Path("pre.py").write_text(PREPROCESS)
    np.save("x.npy", X)


def test_every_layer_of_simulate_is_litert_s(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Path("DebugConfig.txt").write_text(f"dumpTensor\neliminateGarbage\npath={tmp_path}\n")
    done = run_command(capfd, "simulate", "-m", "net.sim", "-i", "x.npy", "-n", "pre.py")
    assert done.code == 0, done.stderr
    dump = open_dump("sigma_outtensor_dump.bin")
    outputs = [index for index, info in enumerate(dump.infos) if info.role == "out"]
    expected = run_litert(build_network(plain=True), [X])
    assert [dump.infos[index].op_type for index in outputs[:3]] == ["CONV_2D", "DEPTHWISE_CONV_2D", "ADD"]
    for index, wanted in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(dump.read(index).array.reshape(wanted.shape), wanted, rtol=1e-5, atol=1e-5)
    (result,) = Path("log/output").glob("unknown_net.sim_*.txt")
    values = [float(word) for word in result.read_text().split("tensor data:")[1].split("}")[0].split()]
    np.testing.assert_allclose(values, expected[-1].reshape(-1), atol=2e-6)


def test_the_exported_model_is_the_same_everywhere(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command(capfd, "export-onnx", "net.sim", "-o", "net.onnx").code == 0
    session = onnxruntime.InferenceSession("net.onnx", providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"x": np.ascontiguousarray(X.transpose(0, 3, 1, 2))})
    np.testing.assert_allclose(found, run_litert(build_network(plain=True), [X])[-1], rtol=1e-5)
