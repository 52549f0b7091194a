from __future__ import annotations

import re
import shlex
import socket
from pathlib import Path

import onnx
import pytest

from ipudebug.demo.faults import FAULTS, list_layers
from ipudebug.demo.ladder import OFFLINE, WIDE, Ladder
from ipudebug.demo.work_folder import MARKER, MODEL, locate_example
from ipudebug.sim.seal import seal_model
from tests.command import run_command

FIRST_SUSPICIOUS = re.compile(r"^first suspicious layer: \d+\) (\w+) \(", re.MULTILINE)
STORY = """\
made ipudebug-demo: a model that reads digits, its images, preprocess file and configuration

1. The model as it is: dump every layer on images/digit_4_a.png
ipudebug-demo/benchmark/onnx_NHWC_outtensor_dump.bin: 29 tensors, 672,149 bytes
the model reads 12 of the 12 images correctly

2. A copy with a fault in relu5: nothing above 0.5 comes through (clipped). Dump that too
ipudebug-demo/sample/onnx_NHWC_outtensor_dump.bin: 29 tensors, 672,149 bytes
the model reads 1 of the 12 images correctly

3. Compare the two dumps, layer by layer; nothing else is looked at
"""
FOUND = "Found: relu5 is the layer with the fault.\n\n"
TRY_NEXT = """\

Try next:
  ipudebug demo --fault channel_order --layer conv4
  cd ipudebug-demo
  ipudebug compare sample/onnx_NHWC_outtensor_dump.bin benchmark/onnx_NHWC_outtensor_dump.bin --format table --sort rmse --top 5
  ipudebug compare sample/onnx_NHWC_outtensor_dump.bin benchmark/onnx_NHWC_outtensor_dump.bin --layer relu5 --metric sqnr --details details
  ipudebug compare ladder/model_fixed.bin ladder/model_float.bin --format table --metric sqnr
  ipudebug run-onnx -i images --model faulty.onnx -n preprocess.py
  ipudebug dump-onnx --model_file model.onnx -i images/digit_3_a.png --dump_bin True -n preprocess.py
"""  # noqa: E501 - the output as it is


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_tells_what_it_did_and_names_the_layer(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("the demo used the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    done = run_command(capfd, "demo")
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.startswith(STORY)
    assert done.stdout.endswith(TRY_NEXT)
    rows = done.stdout[len(STORY) :].partition(FOUND)[0].splitlines()
    nodes = [node.name for node in onnx.load(locate_example(MODEL)).graph.node]
    assert [row.split()[1] for row in rows[: len(nodes)]] == nodes
    untouched = [row.endswith("MSE: 0.000000    COS: 1.000000    RMSE: 0.000000") for row in rows[: len(nodes)]]
    assert untouched.index(False) == nodes.index("relu5")
    assert rows[len(nodes)] == "compared 29 of the sample's 29 tensors"


def test_the_commands_to_try_next_work_as_printed(
    capfd: pytest.CaptureFixture[str], work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = run_command(capfd, "demo").stdout.partition("Try next:\n")[2].splitlines()
    assert len(lines) == 7
    for line in lines:
        program, *arguments = shlex.split(line)
        if program == "cd":
            monkeypatch.chdir(arguments[0])
            continue
        assert program == "ipudebug"
        done = run_command(capfd, *arguments)
        assert done.code == 0, done.stderr
        assert done.stdout
    folder = work / "ipudebug-demo"
    assert (folder / "details" / "0" / "sample.txt").exists()
    assert (folder / "dumpData" / "onnx_NHWC_outtensor_dump.bin").exists()
    assert len(list((folder / "output").iterdir())) == 12


LADDER = """\
4. The model on its way to the board: convert, calibrate on the 12 images, compile
ipudebug-demo/ladder/model_float.sim: 23 of 29 nodes, 6 batch norms folded; reads 12 of the 12 images correctly
ipudebug-demo/ladder/model_fixed.sim: 8 bits, 18 operators, not to the chip's bit: SOFTMAX; reads 12 of the 12 images correctly
ipudebug-demo/ladder/int16_fixed.sim: 16 bits, 18 operators, not to the chip's bit: SOFTMAX; reads 12 of the 12 images correctly
ipudebug-demo/ladder/model_fixed.sim_sgsimg.img: the fixed model, sealed; reads 12 of the 12 images correctly
offline equals fixed bit for bit: checked on all 12 images

5. Float against the original: the 3 worst layers
ROW
ROW
ROW
compared 23 of the sample's 24 tensors
only in the sample: 1 (image): no tensor of this name in the benchmark
only in the benchmark: 6 (conv1, conv2_dw, conv3, conv4, conv5_dw and 1 more): not in the sample (fused, or removed by the conversion)
no layer is suspicious (COS < 0.99 or RMSE > 0.1)

6. Fixed against float, what 8 bits cost: the 3 worst layers
ROW
ROW
ROW
compared 15 of the sample's 17 tensors
only in the sample: 2 (flatten#rows, fc#rows): made by the conversion
only in the benchmark: 9 (bn1, bn2, bn3, bn4, bn5 and 4 more): not in the sample (fused, or removed by the conversion)
no layer is suspicious (COS < 0.99 or RMSE > 0.1)

7. The same layers with 16 bits: [CONV_CONFIG] input_format = ALL_INT16
ROW
ROW
ROW
"""  # noqa: E501 - the output as it is
ROW = re.compile(r"^ *\d+\) (\S+) +MSE: (\S+) +COS: (\S+) +RMSE: (\S+) +SQNR: (\S+)$", re.MULTILINE)
WORST = re.compile(r"(\S+), the worst layer with 8 bits: RMSE (\S+) -> (\S+), SQNR (\S+) -> (\S+) dB\n")
INPUT = re.compile(r"the input image has 8 bits in both: RMSE (\S+)\n")


def test_it_takes_the_model_to_the_board_and_shows_what_each_step_costs(
    capfd: pytest.CaptureFixture[str], work: Path
) -> None:
    text = run_command(capfd, "demo").stdout.partition(FOUND)[2].removesuffix(TRY_NEXT)
    rows = ROW.findall(text)
    told, worst, rest = ROW.sub("ROW", text).partition("relu5, the worst layer")
    assert told == LADDER
    assert all(float(row[3]) < 1e-5 and float(row[4]) > 100 for row in rows[:3])
    narrow, wide = rows[3:6], rows[6:9]
    assert [row[0] for row in narrow] == [row[0] for row in wide]
    assert [float(row[3]) for row in narrow] == sorted((float(row[3]) for row in narrow), reverse=True)
    found = WORST.fullmatch(worst + rest.splitlines(keepends=True)[0])
    assert found
    assert found.groups() == (
        narrow[0][0], narrow[0][3], wide[0][3], f"{float(narrow[0][4]):.1f}", f"{float(wide[0][4]):.1f}",
    )  # fmt: skip
    assert float(found[3]) < float(found[2]) / 4
    assert float(found[5]) > float(found[4]) + 10
    image = INPUT.fullmatch(rest.splitlines(keepends=True)[1])
    assert image
    assert 0 < float(image[1]) < 0.01


def test_the_numbers_of_the_ladder_are_those_of_compare(capfd: pytest.CaptureFixture[str], work: Path) -> None:
    rows = ROW.findall(run_command(capfd, "demo").stdout)
    folder = work / "ipudebug-demo"
    original = next((folder / "benchmark").glob("*.bin"))
    stages = [folder / "ladder" / f"{name}.bin" for name in ("model_float", "model_fixed", "int16_fixed")]
    pairs = [(stages[0], original), (stages[1], stages[0]), (stages[2], stages[0])]
    for number, (sample, benchmark) in enumerate(pairs):
        done = run_command(capfd, "compare", str(sample), str(benchmark), "--metric", "sqnr")
        known = ROW.findall(done.stdout)
        shown = rows[3 * number : 3 * number + 3]
        assert set(shown) <= set(known)
        if number < 2:
            assert [float(row[3]) for row in shown] == sorted((float(row[3]) for row in known), reverse=True)[:3]


def test_the_ladder_is_what_the_commands_make(
    capfd: pytest.CaptureFixture[str], work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_command(capfd, "demo")
    monkeypatch.chdir(work / "ipudebug-demo")
    Path("DebugConfig.txt").write_text("dumpTensor\neliminateGarbage\ndequantFixed\npath=.\n")
    config = ("--input_config", "input_config.ini")
    common = ("-i", "images", "-m", "model_float.sim", "-n", "preprocess.py")
    for arguments in (
        ("convert", "--model_file", "model.onnx", *config, "--soc_version", "souffle"),
        ("calibrate", *common, *config),
        ("calibrate", *common, "--input_config", "ladder/int16.ini", "-o", "int16_fixed.sim"),
        ("compile", "-m", "model_fixed.sim"),
    ):
        assert run_command(capfd, *arguments).code == 0
    for path in sorted(Path("ladder").glob("*.sim*")):
        assert Path(path.name).read_bytes() == path.read_bytes(), path
    for path in sorted(Path("ladder").glob("*.bin")):
        model = f"{path.stem}.sim"
        image = "images/digit_4_a.png"
        assert run_command(capfd, "simulate", "-m", model, "-i", image, "-n", "preprocess.py", "--overwrite").code == 0
        assert Path("sigma_outtensor_dump.bin").read_bytes() == path.read_bytes(), path


def test_the_ladder_leaves_models_of_the_user_alone(capfd: pytest.CaptureFixture[str], work: Path) -> None:
    run_command(capfd, "demo")
    mine = work / "ipudebug-demo" / "model_float.sim"
    mine.write_bytes(b"the user's own")
    done = run_command(capfd, "demo")
    assert mine.read_bytes() == b"the user's own"
    assert "note: ipudebug-demo/ladder of an earlier run is replaced\n" in done.stderr


def test_that_offline_equals_fixed_is_checked(
    capfd: pytest.CaptureFixture[str], work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seal_another(self: Ladder) -> None:
        seal_model(self.locate(WIDE), self.locate(OFFLINE))

    monkeypatch.setattr(Ladder, "make_offline", seal_another)
    done = run_command(capfd, "demo")
    assert done.code == 2
    assert "bit for bit" not in done.stdout
    assert done.stderr.startswith(
        "error: ipudebug-demo/ladder/model_fixed.sim_sgsimg.img: expected the outputs of the fixed model, found others"
    )


@pytest.mark.parametrize("kind", FAULTS)
def test_the_layer_comes_from_the_comparison(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    for layer in (list_layers(onnx.load(locate_example(MODEL)), kind)[place] for place in (0, 2)):
        done = run_command(capfd, "demo", "--fault", kind, "--layer", layer)
        assert FIRST_SUSPICIOUS.findall(done.stdout) == [layer]
        assert f"Found: {layer} is the layer with the fault.\n" in done.stdout


def test_a_fault_below_the_thresholds_is_not_claimed_to_be_found(capfd: pytest.CaptureFixture[str]) -> None:
    done = run_command(capfd, "demo", "--fault", "bias_dropped", "--layer", "fc")
    assert done.code == 0
    assert "no layer is suspicious" in done.stdout
    expected = (
        "The fault is in fc, too small there for the thresholds: no layer is above them, fc the first to differ.\n"
    )
    assert expected in done.stdout
    assert "Found:" not in done.stdout


def test_a_layer_alone_gets_a_fault_that_fits_it(capfd: pytest.CaptureFixture[str]) -> None:
    assert "(wrong_scale)" in run_command(capfd, "demo", "--layer", "conv4").stdout
    assert "(clipped)" in run_command(capfd, "demo", "--layer", "relu7").stdout


def test_it_can_be_run_again(capfd: pytest.CaptureFixture[str], work: Path) -> None:
    run_command(capfd, "demo", "-o", "my try")
    mine = work / "my try" / "images" / "mine.png"
    mine.write_bytes(b"the user's own")
    (work / "my try" / "preprocess.py").unlink()
    done = run_command(capfd, "demo", "-o", "my try")
    assert done.code == 0
    assert done.stdout.startswith("refreshed my try: ")
    assert "  cd 'my try'\n" in done.stdout
    assert (work / "my try" / "preprocess.py").exists()
    assert mine.read_bytes() == b"the user's own"


def test_edited_files_stay(capfd: pytest.CaptureFixture[str], work: Path) -> None:
    run_command(capfd, "demo")
    edited = work / "ipudebug-demo" / "preprocess.py"
    edited.write_text("MEAN = 0\n")
    done = run_command(capfd, "demo")
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr == (
        "error: ipudebug-demo: edited since it was made: preprocess.py\n"
        "hint: choose another folder with -o, or remove these files\n"
    )
    assert edited.read_text() == "MEAN = 0\n"


@pytest.mark.parametrize("output", ["theirs", ""])
def test_a_folder_of_somebody_else_stays_as_it_is(output: str, capfd: pytest.CaptureFixture[str], work: Path) -> None:
    model = work / output / "model.onnx"
    model.parent.mkdir(exist_ok=True)
    model.write_bytes(b"precious")
    done = run_command(capfd, "demo", "-o", output)
    assert done.code == 2
    assert done.stderr == (
        f"error: {output or '.'} is there already and was not made by ipudebug demo\n"
        "hint: choose another folder with -o, or move it away\n"
    )
    assert model.read_bytes() == b"precious"
    assert list(model.parent.iterdir()) == [model]


def test_an_empty_folder_is_taken(capfd: pytest.CaptureFixture[str], work: Path) -> None:
    (work / "empty").mkdir()
    assert run_command(capfd, "demo", "-o", "empty").stdout.startswith("made empty: ")
    assert (work / "empty" / MARKER).exists()


def test_a_file_in_the_place_of_the_folder(capfd: pytest.CaptureFixture[str], work: Path) -> None:
    (work / "file").write_text("")
    done = run_command(capfd, "demo", "-o", "file")
    assert done.code == 2
    assert done.stderr.startswith("error: cannot create the folder file/images: ")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--fault", "rust"], f"error: unknown fault: rust\nhint: known: {', '.join(FAULTS)}\n"),
        (
            ["--layer", "conv44"],
            "error: the model has no layer 'conv44'\nhint: did you mean conv4 or conv7 or conv3?\n",
        ),
        (
            ["--fault", "clipped", "--layer", "conv4"],
            "error: clipped cannot be planted in conv4 (Conv)\n"
            "hint: possible there: wrong_scale, one_channel, channel_order, shifted_padding\n",
        ),
        (
            ["--layer", "prob"],
            "error: clipped cannot be planted in prob (Softmax)\n"
            "hint: no fault is possible there, take another layer\n",
        ),
    ],
)
def test_a_fault_that_cannot_be_planted_leaves_nothing_behind(
    arguments: list[str], expected: str, capfd: pytest.CaptureFixture[str], work: Path
) -> None:
    done = run_command(capfd, "demo", *arguments)
    assert (done.code, done.stdout, done.stderr) == (2, "", expected)
    assert list(work.iterdir()) == []


def test_the_help_names_every_fault(capfd: pytest.CaptureFixture[str]) -> None:
    words = re.findall(r"\w+", run_command(capfd, "demo", "-h").stdout)
    assert set(FAULTS) <= set(words)
