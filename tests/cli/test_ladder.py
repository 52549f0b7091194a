"""An original model through float, fixed and offline, command by command, for every format that a board is fed with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from ipudebug.dumps import open_dump
from ipudebug.results import read_result
from ipudebug.tensor import Tensor
from tests.command import Outcome, run_command

PREPROCESS = """
import numpy as np
def image_preprocess(path, norm=True):
    image = np.load(path)
    return ((image.astype(np.float32) - {mean}) / 64).astype(np.float32) if norm else image
"""
INI = """[INPUT_CONFIG]
inputs = x;
training_input_formats = {training};
input_formats = {board};
mean = {mean};
std_value = 64;
[OUTPUT_CONFIG]
outputs = y;
"""
NET = """
    <ir_version: 8, opset_import: ["" : 17]>
    net (float[1,{channels},12,10] x) => (float[1,4] y)
    {{
      a = Conv<kernel_shape=[3,3], pads=[1,1,1,1]>(x, w)
      b = Relu(a)
      c = Sin(b)
      d = Add(b, c)
      e = GlobalAveragePool(d)
      f = Flatten(e)
      y = Gemm<transB=1>(f, v)
    }}
"""


def make_work(folder: Path, training: str, board: str) -> None:
    """Write an original model, its ini, a preprocess file and images."""
    channels = 1 if training == "GRAY" else 3
    source = np.random.default_rng(7)
    model = onnx.parser.parse_model(NET.format(channels=channels))
    for name, shape in (("w", (8, channels, 3, 3)), ("v", (4, 8))):
        weights = source.standard_normal(shape).astype(np.float32) / 3
        model.graph.initializer.append(onnx.numpy_helper.from_array(weights, name))
    onnx.save(model, folder / "net.onnx")
    mean = 100 if channels == 1 else "100:90:80"
    (folder / "net.ini").write_text(INI.format(training=training, board=board, mean=mean))
    values = (
        "100" if channels == 1 else "np.float32([100, 90, 80])" if training == "RGB" else "np.float32([80, 90, 100])"
    )
    (folder / "pre.py").write_text(PREPROCESS.format(mean=values))
    (folder / "pics").mkdir()
    for number in range(6):
        blocks = source.integers(0, 256, (1, 6, 5, channels), np.uint8)  # of 2 x 2 pixels, so that NV12 keeps colours
        np.save(folder / f"pics/{number}.npy", blocks.repeat(2, axis=1).repeat(2, axis=2))


def read_output(path: str) -> np.ndarray:
    (tensor,) = read_result(path)
    assert isinstance(tensor, Tensor)
    return tensor.array.reshape(-1)


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


@pytest.mark.parametrize(
    ("training", "board"),
    [
        ("RGB", "RGB"),
        ("BGR", "BGR"),
        ("RGB", "RGBA"),
        ("RGB", "BGRA"),
        ("BGR", "RGBA"),
        ("RGB", "YUV_NV12"),
        ("BGR", "YUV_NV12"),
        ("GRAY", "GRAY"),
        ("GRAY", "YUV_NV12"),
    ],
)
def test_every_step_computes_what_the_one_before_computes(
    training: str, board: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    make_work(tmp_path, training, board)
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Outcome:
        done = run_command(capfd, *arguments)
        assert done.code == 0, done.stderr
        return done

    chip = ("--soc_version", "souffle")
    call("convert", "--model_file", "net.onnx", "--input_config", "net.ini", *chip)
    call("calibrate", "-i", "pics", "-m", "net_float.sim", "--input_config", "net.ini", "-n", "pre.py", *chip)
    call("compile", "-m", "net_fixed.sim", *chip)
    call("run-onnx", "-i", "pics", "--model", "net.onnx", "-n", "pre.py")
    results = {}
    for stage, model in (
        ("float", "net_float.sim"),
        ("fixed", "net_fixed.sim"),
        ("offline", "net_fixed.sim_sgsimg.img"),
    ):
        call("simulate", "-m", model, "-i", "pics", "-n", "pre.py", "--overwrite", *chip)
        results[stage] = [read_output(f"log/output/unknown_{model}_{number}.npy.txt") for number in range(6)]
    for number in range(6):
        original = read_output(f"output/unknown_net.onnx_{number}.npy.txt")
        assert cosine(results["float"][number], original) > 0.9999999
        assert cosine(results["fixed"][number], original) > 0.99
        assert np.array_equal(results["offline"][number], results["fixed"][number])

    (tmp_path / "DebugConfig.txt").write_text(f"dumpTensor\neliminateGarbage\ndequantFixed\npath={tmp_path}\n")
    dumps = []
    for model in ("net_float.sim", "net_fixed.sim"):
        done = call("simulate", "-m", model, "-i", "pics/0.npy", "-n", "pre.py", "--overwrite", *chip)
        dumps.append(tmp_path / f"{model}.bin")
        (tmp_path / "sigma_outtensor_dump.bin").rename(dumps[-1])
        (tmp_path / "sigma_outtensor_dump.bin.json").rename(f"{dumps[-1]}.json")
    float_names, fixed_names = ({info.name for info in open_dump(path).infos if info.role == "out"} for path in dumps)
    assert {"b", "c", "y"} <= float_names & fixed_names
    compared = call("compare", str(dumps[1]), str(dumps[0]))
    values = {row.split()[1]: (float(row.split()[5]), float(row.split()[7])) for row in compared.stdout.splitlines()}
    assert {"x", "b", "c", "y"} <= set(values)
    assert done.stderr == "note: not to the chip's bit, see docs/exactness.md: SIN (c)\n"
    shown = call("compare", str(dumps[1]), str(dumps[0]), "--format", "markdown").stdout.splitlines()
    assert [row.split(" | ")[1].strip() for row in shown if "inexact SIN" in row] == ["c"]
    assert min(cos for cos, _ in values.values()) > 0.99
    assert values["x"][1] < 0.02  # as the first layer sees it, whatever mean each channel has and how it is fed
