from __future__ import annotations

import re
import shlex
import socket
from pathlib import Path

import onnx
import pytest

from ipudebug.demo.faults import FAULTS, list_layers
from ipudebug.demo.work_folder import MARKER, MODEL, locate_example
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
TRY_NEXT = """\
Found: relu5 is the layer with the fault.

Try next:
  ipudebug demo --fault channel_order --layer conv4
  cd ipudebug-demo
  ipudebug compare sample/onnx_NHWC_outtensor_dump.bin benchmark/onnx_NHWC_outtensor_dump.bin --format table --sort rmse --top 5
  ipudebug compare sample/onnx_NHWC_outtensor_dump.bin benchmark/onnx_NHWC_outtensor_dump.bin --layer relu5 --metric sqnr --details details
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
    rows = done.stdout[len(STORY) : -len(TRY_NEXT)].splitlines()
    nodes = [node.name for node in onnx.load(locate_example(MODEL)).graph.node]
    assert [row.split()[1] for row in rows[: len(nodes)]] == nodes
    untouched = [row.endswith("MSE: 0.000000    COS: 1.000000    RMSE: 0.000000") for row in rows[: len(nodes)]]
    assert untouched.index(False) == nodes.index("relu5")
    assert rows[len(nodes)] == "compared 29 of the sample's 29 tensors"


def test_the_commands_to_try_next_work_as_printed(
    capfd: pytest.CaptureFixture[str], work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = run_command(capfd, "demo").stdout.partition("Try next:\n")[2].splitlines()
    assert len(lines) == 6
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
