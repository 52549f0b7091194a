import sys
from pathlib import Path

import numpy as np
import pytest

from ipudebug.dumps import open_dump
from tests.command import Outcome, run_command

PREPROCESS = "import numpy\ndef image_preprocess(path, norm=True):\n    return numpy.load(path)\n"
X = np.array([-4, -1, 0, 1, 5, 127], np.int8).reshape(1, 1, 2, 3)
NEEDS = "needs the extra tflite: pip install 'ipudebug[tflite]'"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working directory with pre.py and x.npy."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pre.py").write_text(PREPROCESS)
    np.save(tmp_path / "x.npy", X)
    return tmp_path


@pytest.fixture
def model(folder: Path) -> Path:
    """Return model.tflite in the working directory: relu of int8, scale 0.5, zero point -1."""
    pytest.importorskip("ai_edge_litert", reason=NEEDS)
    from tests.runners.tflite_files import Op, Tensor, write_tflite

    tensors = [Tensor(name, X.shape, "int8", (0.5,), (-1,)) for name in ("x", "y")]
    write_tflite(folder / "model.tflite", tensors, [Op(19, [0], [1])], [0], [1])
    return folder / "model.tflite"


def dump(capfd: pytest.CaptureFixture[str], binary: str) -> Outcome:
    return run_command(
        capfd, "dump-tflite", "--model", "model.tflite", "-i", "x.npy", "--dump_bin", binary, "-n", "pre.py"
    )


@pytest.mark.parametrize(
    ("binary", "name"), [("True", "tflite_outtensor_dump.bin"), ("False", "tflite_NHWC_outtensor_dump.txt")]
)
def test_dumps_real_values_as_they_lie(model: Path, capfd: pytest.CaptureFixture[str], binary: str, name: str) -> None:
    outcome = dump(capfd, binary)
    assert outcome.code == 0
    path = model.parent / "dumpData" / name
    assert outcome.stdout == (
        f"dumpData/{path.name}: 1 tensors, {path.stat().st_size:,} bytes\n"
        "TFLite dump data done. See results in ./dumpData\n"
    )
    reader = open_dump(path)
    assert [(info.name, info.op_type, info.shape) for info in reader.infos] == [("y", "RELU", (1, 1, 2, 3))]
    assert reader.read(0).array.ravel().tolist() == [0, 0, 0.5, 1, 3, 64]
    assert b" s: 0.500000 z: -1 " in path.read_bytes()


def test_raw_keeps_the_integers(model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    outcome = run_command(capfd, "dump-tflite", "--model", "model.tflite", "-i", "x.npy", "-n", "pre.py", "--raw")
    assert outcome.code == 0
    path = model.parent / "dumpData" / "tflite_outtensor_dump.bin"
    reader = open_dump(path)
    assert not reader.is_float
    assert reader.read(0).array.dtype == np.int8
    assert reader.read(0).array.ravel().tolist() == [-1, -1, 0, 1, 5, 127]
    assert b" s: 0.500000 z: -1 type: SGS_S8 " in path.read_bytes()


def test_raw_text_is_refused(model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    outcome = run_command(
        capfd, "dump-tflite", "--model", "model.tflite", "-i", "x.npy", "-n", "pre.py", "--raw", "--dump_bin", "False"
    )
    assert outcome.code == 2
    assert outcome.stderr.endswith("Error: --raw needs --dump_bin True: text holds real values only\n")


def test_a_damaged_model_leaves_no_dump(model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    model.write_bytes(model.read_bytes()[:100])
    outcome = dump(capfd, "True")
    assert outcome.code == 2
    assert "error: model.tflite: LiteRT cannot load the model: " in outcome.stderr
    assert not (model.parent / "dumpData").exists()


def test_without_litert(folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    outcome = dump(capfd, "True")
    assert outcome.code == 2
    assert outcome.stderr.startswith("error: TFLite models need ai-edge-litert")


PICTURE = """
import numpy
from PIL import Image
def image_preprocess(path, norm=True):
    image = Image.open(path).convert("RGB").resize(({size}, {size}), Image.Resampling.BILINEAR)
    x = numpy.asarray(image)[None]
    return {value}
"""


@pytest.mark.reference
@pytest.mark.parametrize(
    ("models", "values", "size", "image", "verdict"),
    [
        (
            ("mobilenet_v1_0.25_224_1_default_1", "mobilenet_v1_0.25_224_quant"),
            ("((x - 127.5) / 127.5).astype(numpy.float32)", "x"),
            224,
            "burger.jpg",
            "first suspicious layer: 0) MobilenetV1/MobilenetV1/Conv2d_0/Relu6 ",
        ),
        (
            ("pretrainedResnet", "pretrainedResnet_quant"),
            ("x.astype(numpy.float32)", "(x.astype(int) - 128).astype(numpy.int8)"),
            32,
            "test.jpg",
            "no layer is suspicious",
        ),
    ],
)
def test_where_a_quantised_model_parts_from_the_float_one(
    reference: Path,
    folder: Path,
    capfd: pytest.CaptureFixture[str],
    models: tuple[str, str],
    values: tuple[str, str],
    size: int,
    image: str,
    verdict: str,
) -> None:
    """The MobileNets were trained apart, the ResNet was quantised from the float one."""
    pytest.importorskip("ai_edge_litert", reason=NEEDS)
    for name, model, value in zip(("float", "quantised"), models, values, strict=True):
        (folder / f"{name}.py").write_text(PICTURE.format(size=size, value=value))
        outcome = run_command(
            capfd, "dump-tflite", "--model", f"{reference}/models/{model}.tflite",
            "-i", f"{reference}/models/{image}", "--dump_bin", "True", "-n", f"{name}.py", "-o", name,
        )  # fmt: skip
        assert outcome.code == 0, outcome.stderr
    dumps = [f"{name}/tflite_outtensor_dump.bin" for name in ("quantised", "float")]
    outcome = run_command(capfd, "compare", *dumps)
    assert verdict in outcome.stderr
