"""``inspect``: literal output on models made here; the real ones of every kind."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from bench.data.vendor_models import make_fixed
from bench.data.vendor_sim import FIXED, Operator, Sim, Tensor, write_sim
from tests.command import run_command

MODEL = """\
small.sim: a float model of the vendor's (Sigmastar Float)
stage    float
version  1.1.5_synthetic
input    x [1, 4, 4, 3] float32
output   y [1, 2, 2, 3] float32
size     2 operators, 4 tensors

  #  operator     inputs    outputs
---  -----------  --------  ---------
  0  MAX_POOL_2D  x         pool
  1  MUL          pool, c   y

tensor    shape         type
--------  ------------  ----------------
x         [1, 4, 4, 3]  float32
c         [3]           float32 constant
pool      [1, 2, 2, 3]  float32
y         [1, 2, 2, 3]  float32
"""
OPERATOR = """\
operator 0 MAX_POOL_2D
  kernel                      2 2
  strides                     2 2
  dilations                   1 1
  pads top left bottom right  0 0 0 0
  activation                  none
  input 0                     x [1, 4, 4, 3] float32
  output 0                    pool [1, 2, 2, 3] float32
"""
TENSOR = """\
tensor relu
  shape    [1, 8, 8, 8]
  type     uint8
  range    0 .. 5.1
  scale    0.02
  zero     0
  layout   IPU_U8_NHWX
  made by  3 RELU
  read by  4 DEPTHWISE_CONV_2D, 5 CONCATENATION
"""


def small(code: int = 18, middle: bool = True) -> bytes:
    pool = {0: ("i8", 1), 1: ("i32", 2), 2: ("i32", 2), 3: ("i32", 2), 4: ("i32", 2)}
    tensors = [
        Tensor("x", (1, 4, 4, 3), flag=1),
        Tensor("c", (3,), data=np.ones(3, np.float32), flag=0),
        Tensor("pool", (1, 2, 2, 3)),
        Tensor("y", (1, 2, 2, 3), flag=2),
    ]
    operators = [Operator(17, [0], [2], pool), Operator(code, [2, 1], [3])]
    return write_sim(Sim(tensors, operators if middle else [Operator(code, [0, 1], [3])], [0], [3]))


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.sim").write_bytes(small())
    Path("other.sim").write_bytes(small(55, middle=False))
    Path("fixed.sim").write_bytes(make_fixed())


def test_a_model(capfd: pytest.CaptureFixture[str]) -> None:
    done = run_command(capfd, "inspect", "small.sim")
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.split() == MODEL.split()
    assert done.stdout.startswith(MODEL[: MODEL.index("\n\n") + 1])


@pytest.mark.parametrize("word", ["0", "max_pool_2d", "MAX_POOL_2D", "pool"])
def test_one_operator(word: str, capfd: pytest.CaptureFixture[str]) -> None:
    done = run_command(capfd, "inspect", "small.sim", "--op", word)
    assert (done.code, done.stdout, done.stderr) == (0, OPERATOR, "")


def test_one_tensor(capfd: pytest.CaptureFixture[str]) -> None:
    done = run_command(capfd, "inspect", "fixed.sim", "--tensor", "relu")
    assert (done.code, done.stdout, done.stderr) == (0, TENSOR, "")


def test_what_is_not_there_is_told_with_what_is(capfd: pytest.CaptureFixture[str]) -> None:
    done = run_command(capfd, "inspect", "fixed.sim", "--tensor", "relu7")
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr == "error: fixed.sim: no tensor 'relu7'\nhint: did you mean relu?\n"
    done = run_command(capfd, "inspect", "small.sim", "--op", "SOFTMAX")
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr == (
        "error: small.sim: no operator 'SOFTMAX'\nhint: its operators are of the types MAX_POOL_2D, MUL\n"
    )


def test_json_has_every_fact(capfd: pytest.CaptureFixture[str]) -> None:
    done = run_command(capfd, "inspect", "fixed.sim", "--json")
    model = json.loads(done.stdout)["model"]
    assert model["stage"] == "fixed"
    assert model["inputs"][0]["input_format"] == "RGB"
    assert [one["domain"] for one in model["operators"]] == [0, 0, 0, 0, 1, 2, 3, 4, 5, 6]
    assert model["operators"][0]["options"]["pre"] == "4"
    relu = next(tensor for tensor in model["tensors"] if tensor["name"] == "relu")
    assert relu["dtype"] == "uint8"
    assert relu["scale"] == [pytest.approx(0.02)]
    assert relu["memory_layout"] == "IPU_U8_NHWX"
    one = json.loads(run_command(capfd, "inspect", "fixed.sim", "--op", "TANH", "--json").stdout)["model"]
    assert [operator["type"] for operator in one["operators"]] == ["TANH"]
    assert one["tensors"] == []


def test_what_is_not_the_chips_to_the_bit_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    model = json.loads(run_command(capfd, "inspect", "fixed.sim", "--json").stdout)["model"]
    doubtful = {one["type"]: one["status"] for one in model["operators"] if one["status"] != "exact"}
    assert doubtful == {"LOGISTIC": "inexact", "TANH": "inexact", "SOFTMAX": "inexact"}
    text = run_command(capfd, "inspect", "fixed.sim").stdout
    assert "size     10 operators in 7 domains, 16 tensors\n" in text
    assert [line.split()[2:4] for line in text.splitlines() if " TANH " in line] == [["TANH", "inexact"]]
    tensors = [Tensor("x", (1, 4), "uint8", scale=[0.1], zero=[0]), Tensor("y", (1, 4), "uint8", scale=[0.1], zero=[0])]
    middle = Tensor("m", (1, 4), "uint8", scale=[0.1], zero=[0])
    operators = [Operator("Postprocess", [0], [2]), Operator(22, [2], [1])]
    sim = Sim([*tensors, middle], operators, description=FIXED)
    Path("odd.sim").write_bytes(write_sim(sim))
    model = json.loads(run_command(capfd, "inspect", "odd.sim", "--json").stdout)["model"]
    assert [one["status"] for one in model["operators"]] == ["not computed", "exact"]


def test_options_and_short_lists_are_shown(capfd: pytest.CaptureFixture[str]) -> None:
    axes = Tensor("axes", (2,), "int32", np.array([1, 2]), flag=0)
    tensors = [Tensor("x", (1, 4, 4, 3)), axes, Tensor("y", (1, 3))]
    Path("mean.sim").write_bytes(write_sim(Sim(tensors, [Operator(40, [0, 1], [2], {0: ("i8", 0)}, 27)], [0], [2])))
    assert run_command(capfd, "inspect", "mean.sim", "--op", "MEAN").stdout == (
        "operator 0 MEAN\n"
        "  keeps dimensions  no\n"
        "  input 0           x [1, 4, 4, 3] float32\n"
        "  input 1           axes [2] int32 constant = 1 2\n"
        "  output 0          y [1, 3] float32\n"
    )
    plain = Sim(tensors, [Operator(40, [0, 1], [2], {0: ("i8", 1)}, 27)], [0], [2], "TOCO Converted.", plain=True)
    Path("mean.tflite").write_bytes(write_sim(plain))
    assert "  keeps dimensions  yes\n" in run_command(capfd, "inspect", "mean.tflite", "--op", "0").stdout


def rows(text: str) -> list[list[str]]:
    return [line.split("  ") for line in text.splitlines()[2:]]


def test_the_difference_of_two_models(capfd: pytest.CaptureFixture[str]) -> None:
    done = run_command(capfd, "inspect", "small.sim", "--diff", "other.sim")
    found = [[cell.strip() for cell in row if cell.strip()] for row in rows(done.stdout)]
    assert found == [
        ["fused", "pool", "MAX_POOL_2D", "part of MAXIMUM y"],
        ["operator", "y", "MUL", "MAXIMUM"],
    ]
    listed = json.loads(run_command(capfd, "inspect", "small.sim", "--diff", "other.sim", "--json").stdout)
    assert listed["differences"][1] == {"kind": "operator", "where": "y", "first": "MUL", "second": "MAXIMUM"}
    done = run_command(capfd, "inspect", "small.sim", "--diff", "small.sim")
    assert done.stdout == "small.sim and small.sim: no differences\n"
    done = run_command(capfd, "inspect", "small.sim", "--diff", "other.sim", "--op", "0")
    assert done.stderr == "error: --diff compares whole models\nhint: leave out --op and --tensor\n"


def test_an_original_and_its_float_model_have_the_same_operators(capfd: pytest.CaptureFixture[str]) -> None:
    """``Relu`` of ONNX is the vendor's ``RELU``; only what was really changed is told."""
    values = [helper.make_tensor_value_info(name, 1, [1, 3, 4, 4]) for name in ("x", "y")]
    nodes = [helper.make_node("Relu", ["x"], ["m"]), helper.make_node("Sigmoid", ["m"], ["y"])]
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", values[:1], values[1:])), "net.onnx")
    tensors = [Tensor(name, (1, 4, 4, 3)) for name in ("x", "m", "y")]
    operators = [Operator(19, [0], [1]), Operator(28, [1], [2])]
    Path("net.sim").write_bytes(write_sim(Sim(tensors, operators, [0], [2])))
    done = run_command(capfd, "inspect", "net.onnx", "--diff", "net.sim", "--json")
    found = [one for one in json.loads(done.stdout)["differences"] if one["kind"] != "model"]
    assert found == [{"kind": "operator", "where": "y", "first": "Sigmoid", "second": "TANH"}]


def test_an_onnx_model_with_a_dynamic_batch(capfd: pytest.CaptureFixture[str]) -> None:
    weight = numpy_helper.from_array(np.ones((2, 3, 1, 1), np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"], name="first", strides=[2, 2])],
        "g",
        [helper.make_tensor_value_info("x", 1, ["batch", 3, 8, 8])],
        [helper.make_tensor_value_info("y", 1, None)],
        [weight],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]), "net.onnx")
    done = run_command(capfd, "inspect", "net.onnx", "--op", "first")
    assert done.stdout == (
        "operator 0 Conv\n"
        "  name      first\n"
        "  strides   2 2\n"
        "  input 0   x [batch, 3, 8, 8] float32\n"
        "  input 1   w [2, 3, 1, 1] float32 constant\n"
        "  output 0  y [batch, 2, 4, 4] float32\n"
    )


def test_a_file_that_is_no_model(capfd: pytest.CaptureFixture[str]) -> None:
    Path("cat.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(100))
    done = run_command(capfd, "inspect", "cat.jpg")
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.startswith("error: cat.jpg: not recognised model: ")


def test_a_damaged_model_leaves_no_half_output(capfd: pytest.CaptureFixture[str]) -> None:
    Path("cut.sim").write_bytes(small()[:900])
    done = run_command(capfd, "inspect", "cut.sim", "-o", "out.txt")
    assert done.code == 2
    assert not Path("out.txt").exists()


@pytest.mark.reference
@pytest.mark.parametrize(
    ("name", "operators", "tensors"),
    [
        ("rfb320/fixed.sim", 58, 163),
        ("rfb320/float.sim", 94, 199),
        ("smallnet/offline.sim", 19, 38),
        ("smallnet/smallnet.onnx", 19, 42),
        ("models/pretrainedResnet_quant.tflite", 16, 38),
        ("models/RFB-320.prototxt", 110, 111),
    ],
)
def test_real_models_of_every_kind(
    name: str, operators: int, tensors: int, reference: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model = json.loads(run_command(capfd, "inspect", str(reference / name), "--json").stdout)["model"]
    assert (len(model["operators"]), len(model["tensors"])) == (operators, tensors)


@pytest.mark.reference
def test_what_fusing_changed_in_a_real_model(reference: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = reference / "smallnet"
    text = run_command(
        capfd, "inspect", str(folder / "fixed_nofuse.sim"), "--diff", str(folder / "fixed.sim"), "--json"
    )
    fused = [one["where"] for one in json.loads(text.stdout)["differences"] if one["kind"] == "fused"]
    assert fused == ["conv1", "bn1_node_MUL_output", "bn1", "conv4", "bn4_node_MUL_output", "bn4", "add5"]
    text = run_command(capfd, "inspect", str(folder / "float.sim"), "--diff", str(folder / "fixed.sim"), "--json")
    merged = [one["where"] for one in json.loads(text.stdout)["differences"] if one["second"].startswith("part of")]
    assert merged == ["dw2", "pw3", "conv7"]
