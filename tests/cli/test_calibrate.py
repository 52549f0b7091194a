"""``calibrate`` and ``save-quant-param`` from the command line, on the embedded example."""

from __future__ import annotations

import functools
import json
import shutil
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from ipudebug.dumps import open_dump
from ipudebug.sim.convert import convert_model
from ipudebug.sim.loading import load_sim
from ipudebug.sim.saving import save_sim
from tests.command import Outcome, run_command

Run = Callable[..., Outcome]
DEMO = Path(str(resources.files("ipudebug") / "demo"))
CALIBRATE = [
    "calibrate",
    "-i",
    "images",
    "-m",
    "digits_float.sim",
    "--input_config",
    "input_config.ini",
    "-n",
    "preprocess.py",
]
SUMMARY = "digits_float.sim: 18 operators, 12 images, min-max, compensated; not to the chip's bit: SOFTMAX\n"


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded example, its float model and its images."""
    folder = tmp_path_factory.mktemp("example")
    shutil.copytree(DEMO / "images", folder / "images")
    for name in ("input_config.ini", "preprocess.py"):
        shutil.copy(DEMO / name, folder / name)
    made = convert_model(str(DEMO / "model.onnx"), str(folder / "input_config.ini"), "souffle")
    save_sim(made.model, str(folder / "digits_float.sim"))
    return folder


@pytest.fixture
def folder(example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the example that is the working directory."""
    shutil.copytree(example, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command line and return what came of it."""
    return functools.partial(run_command, capfd)


def test_the_example_is_calibrated(folder: Path, run: Run) -> None:
    done = run(*CALIBRATE)
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout == SUMMARY + "Fixed model at: digits_fixed.sim\n"
    model = load_sim("digits_fixed.sim")
    assert (model.stage.value, model.chip) == ("fixed", "souffle")
    assert not list(folder.glob("*.part"))


def test_any_number_of_processes_writes_the_same_bytes(folder: Path, run: Run) -> None:
    for name, number in (("a.sim", "1"), ("b.sim", "3"), ("c.sim", "3")):
        assert run(*CALIBRATE, "-o", name, "--num_process", number).code == 0
    assert len({(folder / name).read_bytes() for name in ("a.sim", "b.sim", "c.sim")}) == 1


def test_the_quantisation_goes_out_and_in(folder: Path, run: Run) -> None:
    assert run(*CALIBRATE, "--quant_level", "L4").code == 0
    done = run("save-quant-param", "-m", "digits_fixed.sim")
    assert (done.code, done.stdout) == (0, "Quant param saved in digits_fixed.sim.json\n")
    done = run(*CALIBRATE, "--quant_file", "digits_fixed.sim.json", "--compensate", "-o", "again.sim")
    assert done.code == 0
    assert (folder / "again.sim").read_bytes() == (folder / "digits_fixed.sim").read_bytes()
    names = [entry["name"] for entry in json.loads((folder / "digits_fixed.sim.json").read_text())]
    assert len(names) == len(set(names))


def test_stated_ranges_are_taken_as_the_vendor_takes_them(folder: Path, run: Run) -> None:
    plain = SUMMARY.replace("compensated", "weights to the nearest")
    assert run(*CALIBRATE, "--no-compensate").stdout.startswith(plain)
    assert run("save-quant-param", "-m", "digits_fixed.sim").code == 0
    done = run(*CALIBRATE, "--quant_file", "digits_fixed.sim.json", "-o", "again.sim")
    assert done.stdout.startswith(plain)
    assert (folder / "again.sim").read_bytes() == (folder / "digits_fixed.sim").read_bytes()
    assert run(*CALIBRATE, "-o", "other.sim").code == 0
    assert (folder / "other.sim").read_bytes() != (folder / "digits_fixed.sim").read_bytes()


@pytest.mark.parametrize(("conv_format", "least"), [("ALL_UINT8", 0.99), ("ALL_INT16", 0.9999)])
def test_fixed_is_like_float_on_every_image(conv_format: str, least: float, folder: Path, run: Run) -> None:
    ini = folder / "input_config.ini"
    ini.write_text(ini.read_text().replace("ALL_UINT8", conv_format))
    assert run(*CALIBRATE).code == 0
    for model in ("digits_float.sim", "digits_fixed.sim"):
        assert run("simulate", "-m", model, "-i", "images", "-n", "preprocess.py", "-c", "Classification").code == 0
        shutil.move("log", model + ".log")
    same = 0
    for path in sorted((folder / "digits_float.sim.log" / "output").iterdir()):
        other = folder / "digits_fixed.sim.log" / "output" / path.name.replace("float", "fixed")
        scores = [dict(line.split() for line in file.read_text().splitlines()[1:]) for file in (path, other)]
        best = [max(each, key=lambda name: float(each[name])) for each in scores]
        same += best[0] == best[1]
        shared = sorted(set(scores[0]) & set(scores[1]))
        a, b = (np.array([float(each[name]) for name in shared]) for each in scores)
        assert a @ b / np.sqrt((a @ a) * (b @ b)) >= least, path.name
    assert same == 12


def test_a_raw_dump_stands_for_the_real_one_and_fusion_changes_no_tensor(folder: Path, run: Run) -> None:
    switches = {"raw": "", "real": "dequantFixed\n", "apart": "dequantFixed\n"}
    assert run(*CALIBRATE).code == 0
    (folder / "DebugConfig.txt").write_text("disableDomainFuseOps\n")
    done = run(*CALIBRATE, "-o", "apart_fixed.sim")
    assert done.code == 0
    dumps = {}
    for name, switch in switches.items():
        (folder / "DebugConfig.txt").write_text(f"dumpTensor\neliminateGarbage\n{switch}path={folder}\n")
        model = "apart_fixed.sim" if name == "apart" else "digits_fixed.sim"
        assert run("simulate", "-m", model, "-i", "images/digit_3_a.png", "-n", "preprocess.py").code == 0
        shutil.move("sigma_outtensor_dump.bin", f"{name}.bin")
        reader = open_dump(f"{name}.bin")
        dumps[name] = {
            info.name: reader.read(place).array
            for place, info in enumerate(reader.infos)
            if not info.constant and info.role == "out"
        }
    assert set(dumps["raw"]) == set(dumps["real"])
    quants = load_sim("digits_fixed.sim").tensors
    for name, integers in dumps["raw"].items():
        quant = quants[name].quant
        assert quant is not None
        reals = (integers.astype(np.int32).reshape(-1) - quant.zero_point[0]).astype(np.float32)
        assert np.array_equal(reals * np.float32(quant.scale[0]), dumps["real"][name].reshape(-1)), name
    for name, array in dumps["real"].items():
        assert np.array_equal(array, dumps["apart"][name]), name
    assert len(dumps["apart"]) >= len(dumps["real"])


FAULTS = {
    "no images": (["-i", "empty"], "No images found in empty"),
    "wrong kind": (["-m", "preprocess.py"], "Not recognized model. preprocess.py: expected a float model"),
    "no model": (["-m", "none.sim"], "No such model: none.sim"),
    "unknown chip": (["--soc_version", "xxx"], "Not support soc_version: xxx"),
    "no ini": (["--input_config", "none.ini"], "input_config.ini file not found."),
    "two preprocess files": (
        ["-n", "preprocess.py,preprocess.py"],
        "Got different num of preprocess_methods and images!",
    ),
    "unknown method": (["--method", "min-mix"], "unknown calibration method: min-mix"),
    "no quantisation file": (["--quant_file", "none.json"], "the quantisation file: no such file: none.json"),
    "onto itself": (["-o", "digits_float.sim"], "-o digits_float.sim would overwrite an input"),
    "onto the preprocess file": (["-o", "./preprocess.py"], "-o ./preprocess.py would overwrite an input"),
    "onto an image": (["-o", "images/digit_3_a.png"], "-o images/digit_3_a.png would overwrite an input"),
    "onto the ranges": (["--quant_file", "a.json", "-o", "a.json"], "-o a.json would overwrite an input"),
    "ini of another model": (["--input_config", "other.ini"], "'prbo' is no output of the model."),
    "no folder": (["-o", "none/fixed.sim"], "cannot write none/fixed.sim"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_faults_are_told_and_leave_nothing(case: str, folder: Path, run: Run) -> None:
    (folder / "empty").mkdir()
    (folder / "a.json").write_text("[]")
    (folder / "other.ini").write_text((folder / "input_config.ini").read_text().replace("prob", "prbo"))
    arguments, words = FAULTS[case]
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    done = run(*CALIBRATE, *arguments)
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {words}"), done.stderr
    assert "hint: " in done.stderr
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_ranges_of_no_tensor_are_told(folder: Path, run: Run) -> None:
    (folder / "ranges.json").write_text(json.dumps([{"name": "relu55", "min": [0], "max": [1], "bit": 8}]))
    done = run(*CALIBRATE, "--quant_file", "ranges.json")
    told = "ranges.json: 1 of 1 names are no tensors of the model: relu55; did you mean relu5?"
    assert (done.code, done.stderr) == (0, f"note: {told}\n")
    (folder / "ranges.json").write_text("[]")
    done = run(*CALIBRATE, "--quant_file", "ranges.json", "-o", "other_fixed.sim")
    assert (done.code, done.stderr) == (0, "note: ranges.json: the list is empty: every range is measured\n")
    (folder / "ranges.json").write_text(json.dumps([{"name": "relu5", "min": [0], "max": [1], "bit": 4}]))
    done = run(*CALIBRATE, "--quant_file", "ranges.json", "-o", "four_fixed.sim")
    assert done.stderr == "note: ranges.json: 4 bits are none of calibrate's; 8 were taken for relu5\n"


def test_nan_of_a_preprocess_file_is_told_before_it_spreads(folder: Path, run: Run) -> None:
    script = (folder / "preprocess.py").read_text()
    (folder / "nan.py").write_text(script.replace("(pixels - MEAN)", "np.nan * (pixels - MEAN)"))
    done = run(*CALIBRATE, "-n", "nan.py")
    assert (done.code, done.stdout) == (2, "")
    note = "note: input image: 3,072 of 3,072 values of the preprocess result are NaN or infinite\n"
    assert done.stderr.startswith(f"{note}error: bn1: expected finite numbers, found nan to nan")
    assert not (folder / "digits_fixed.sim").exists()


def test_a_tensor_that_feeds_no_convolution(folder: Path, run: Run) -> None:
    ini = folder / "input_config.ini"
    ini.write_text(ini.read_text().replace("ALL_UINT8;", "ALL_INT16;\ntensor_arrays = prob;"))
    done = run(*CALIBRATE)
    assert done.code == 2
    assert "expected tensors that feed a CONV_2D or DEPTHWISE_CONV_2D, found prob" in done.stderr


def test_a_preprocess_file_that_is_not_the_ini(folder: Path, run: Run) -> None:
    ini = folder / "input_config.ini"
    ini.write_text(ini.read_text().replace("206:194:203", "0:0:0").replace("std_value = 68", "std_value = 255"))
    done = run(*CALIBRATE)
    assert done.code == 0
    (note,) = [line for line in done.stderr.splitlines() if "disagree" in line]
    assert note.startswith("note: input image: preprocess file and ini disagree")
    assert "(mean 0:0:0, std 255:255:255); it uses mean 206:194:203, std 68:68:68" in note


def test_only_a_fixed_model_has_parameters(folder: Path, run: Run) -> None:
    done = run("save-quant-param", "-m", "digits_float.sim")
    assert done.code == 2
    assert "expected a fixed model, found a float model of ipudebug's" in done.stderr
