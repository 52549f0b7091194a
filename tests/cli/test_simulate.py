"""The command: what it prints, what it writes where, and what it leaves alone."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from ipudebug.cli import simulations
from ipudebug.cli.app import EXIT_TROUBLE
from ipudebug.cli.debug_dump import note_switches
from ipudebug.config.debug_config import DebugConfig
from ipudebug.dumps import open_dump
from ipudebug.manifest import read_manifest
from ipudebug.results import read_result
from ipudebug.sim.loading import load_sim
from tests.command import Outcome, run_command
from tests.sim.test_loading import with_facts
from tests.sim.test_seal import fixed_net

PREPROCESS = """
import pathlib
import numpy as np
def image_preprocess(path, norm=True):
    value = int(pathlib.Path(path).read_text())
    if norm:
        return np.full((1, 3, 2, 3), value / 255, np.float32)
    return np.full((1, 3, 2, 3), value, np.uint8)
"""
FLOAT = """
    <ir_version: 8, opset_import: ["" : 17]>
    net (float[1,3,3,2] x) => (float[1,6] y)
    <float[6] b = {1,2,3,4,5,6}> { r = Relu(x) f = Flatten(r) y = Gemm<transB=1>(f, w, b) }
"""
STAMP = r"_backup_at_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d"


def float_net() -> onnx.ModelProto:
    model = onnx.parser.parse_model(FLOAT)
    weights = np.arange(108, dtype=np.float32).reshape(6, 18) / 100
    model.graph.initializer.append(onnx.numpy_helper.from_array(weights, "w"))
    return onnx.shape_inference.infer_shapes(with_facts(model, ""))


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "net_fixed.sim").write_bytes(fixed_net().SerializeToString())
    (tmp_path / "net_float.sim").write_bytes(float_net().SerializeToString())
    (tmp_path / "pre.py").write_text(PREPROCESS)
    (tmp_path / "pics").mkdir()
    for number in range(5):
        (tmp_path / f"pics/{number}.png").write_text(str(10 * number))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(simulations.os, "cpu_count", lambda: 4)
    (tmp_path / "home").mkdir()
    return tmp_path


@pytest.fixture
def simulate(work: Path, capfd: pytest.CaptureFixture[str]):
    def call(model: str, image: str, *more: str) -> Outcome:
        return run_command(capfd, "simulate", "-m", model, "-i", image, "-n", "pre.py", *more)

    return call


def read_folder(path: str) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(Path(path).iterdir()) if file.is_file()}


def test_a_float_model(simulate) -> None:
    done = simulate("net_float.sim", "pics/3.png", "--soc_version", "souffle")
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout == (
        "Start to evaluate on pics/3.png...\n"
        "Net: net_float.sim, float model, souffle\n"
        "  input 0: x, float32 [1, 3, 2, 3] NHWC\n"
        "  output 0: y, float32 [1, 6]\n"
        "pics/3.png -> log/output/unknown_net_float.sim_3.png.txt\n"
        "Run evaluation OK.\n"
        "1 image done, results in log/output\n"
    )
    text = Path("log/output/unknown_net_float.sim_3.png.txt").read_text()
    sums = np.arange(108).reshape(6, 18).sum(axis=1) / 100 * (30 / 255) + [1, 2, 3, 4, 5, 6]
    values = "".join(f"{value:f}  " for value in np.float32(sums))
    assert text == f"y Tensor:\n{{\ntensor dim:2,  Original shape:[1 6]\ntensor data:\n{values}\n}}\n\n"


def test_a_fixed_model_has_alignment_columns_unless_they_are_skipped(simulate) -> None:
    done = simulate("net_fixed.sim", "pics/3.png")
    assert (done.code, done.stderr) == (0, "")
    assert "  input 0: x, uint8 [1, 3, 2, 4] NHWC, scale 0.1, zero point 3, RGB fed as RGBA\n" in done.stdout
    path = Path("log/output/unknown_net_fixed.sim_3.png.txt")
    assert "tensor dim:4,  Original shape:[1 3 2 6],  Alignment shape:[1 3 2 16]\nThe following" in path.read_text()
    (padded,) = read_result(str(path))
    simulate("net_fixed.sim", "pics/3.png", "--skip_garbage", "--overwrite")
    assert "tensor dim:4,  Original shape:[1 3 2 6]\ntensor data:\n" in path.read_text()
    (plain,) = read_result(str(path))
    assert np.array_equal(padded.array, plain.array)
    assert np.array_equal(plain.array, np.full((1, 3, 2, 6), 2.7))


def test_an_offline_model_writes_what_the_fixed_one_writes(simulate, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command(capfd, "compile", "-m", "net_fixed.sim").code == 0
    simulate("net_fixed.sim", "pics")
    wanted = {
        name.replace("fixed.sim", "fixed.sim_sgsimg.img"): data for name, data in read_folder("log/output").items()
    }
    done = simulate("net_fixed.sim_sgsimg.img", "pics", "--soc_version", "souffle", "--overwrite")
    assert done.code == 0
    assert "offline model, souffle" in done.stdout
    assert read_folder("log/output") == wanted
    done = simulate("net_fixed.sim_sgsimg.img", "pics", "--soc_version", "muffin")
    assert (done.code, done.stdout) == (EXIT_TROUBLE, "")
    assert done.stderr.startswith("error: MI_IPU_CreateCHNWithUserMem failed: 54. net_fixed.sim_sgsimg.img: expected a")
    assert read_folder("log/output") == wanted


@pytest.mark.parametrize("model", ["net_fixed.sim", "net_float.sim"])
def test_several_processes_write_the_same_bytes(simulate, model: str) -> None:
    one = simulate(model, "pics")
    wanted = read_folder("log/output")
    several = simulate(model, "pics", "--num_process", "3", "--overwrite")
    assert len(wanted) == 5
    assert (several.code, several.stdout, several.stderr) == (0, one.stdout, "")
    assert read_folder("log/output") == wanted


def test_an_earlier_result_is_moved_aside(simulate) -> None:
    simulate("net_float.sim", "pics/1.png")
    before = read_folder("log/output")
    done = simulate("net_float.sim", "pics/2.png")
    kept = re.fullmatch(rf"note: log/output of an earlier run was moved to (log/output{STAMP})\n", done.stderr)
    assert kept
    assert read_folder(kept[1]) == before
    assert list(read_folder("log/output")) == ["unknown_net_float.sim_2.png.txt"]
    simulate("net_float.sim", "pics/3.png", "--overwrite")
    assert list(read_folder("log/output")) == ["unknown_net_float.sim_3.png.txt"]
    assert len(list(Path("log").iterdir())) == 2


@pytest.mark.parametrize("more", [(), ("--overwrite",), ("--overwrite", "--num_process", "2"), ("--dump_rawdata",)])
def test_a_run_without_a_result_leaves_the_earlier_one_alone(simulate, work: Path, more: tuple[str, ...]) -> None:
    configure(work)
    assert simulate("net_fixed.sim", "pics", "--dump_rawdata").code == 0
    for number in range(5):
        (work / f"pics/{number}.png").write_text("not a number")
    before = {str(path): path.read_bytes() for path in sorted(work.rglob("*")) if path.is_file()}
    done = simulate("net_fixed.sim", "pics", *more)
    assert done.code == EXIT_TROUBLE
    assert "moved" not in done.stderr
    assert {str(path): path.read_bytes() for path in sorted(work.rglob("*")) if path.is_file()} == before


def test_a_run_that_stops_later_tells_what_it_moved(simulate, work: Path) -> None:
    configure(work)
    simulate("net_fixed.sim", "pics")
    before, dump = read_folder("log/output"), (work / "sigma_outtensor_dump.bin").read_bytes()
    (work / "pics/1.png").write_text("not a number")
    done = simulate("net_fixed.sim", "pics")
    kept = re.search(rf"note: log/output of an earlier run was moved to (log/output{STAMP})\n", done.stderr)
    assert done.code == EXIT_TROUBLE
    assert kept
    assert read_folder(kept[1]) == before
    assert list(read_folder("log/output")) == ["unknown_net_fixed.sim_0.png.txt"]
    assert (work / "sigma_outtensor_dump.bin").read_bytes() == dump


def test_the_bytes_of_images_that_are_skipped_stay(simulate, work: Path) -> None:
    simulate("net_fixed.sim", "pics", "--dump_rawdata")
    before = read_folder(".")
    Path("log/output/unknown_net_fixed.sim_2.png.txt").unlink()
    done = simulate("net_fixed.sim", "pics", "--dump_rawdata", "--continue_run")
    assert done.code == 0
    assert re.findall(r"note: (\S+) of an earlier run", done.stderr) == ["2.png.bin"]
    assert {name: data for name, data in read_folder(".").items() if "_backup_at_" not in name} == before


def test_a_run_that_stopped_is_continued(simulate, work: Path) -> None:
    (work / "pics/2.png").write_text("not a number")
    stopped = simulate("net_float.sim", "pics")
    assert stopped.code == EXIT_TROUBLE
    assert "invalid literal for int()" in stopped.stderr
    assert list(read_folder("log/output")) == [f"unknown_net_float.sim_{number}.png.txt" for number in (0, 1)]
    (work / "pics/2.png").write_text("20")
    Path("log/output/unknown_net_float.sim_0.png.txt").write_text("kept")
    done = simulate("net_float.sim", "pics", "--continue_run")
    assert (done.code, done.stderr) == (0, "note: --continue_run: 2 images have a result already\n")
    assert done.stdout.endswith("3 images done, results in log/output\n")
    assert Path("log/output/unknown_net_float.sim_0.png.txt").read_text() == "kept"
    assert len(read_folder("log/output")) == 5


def test_what_is_wrong_with_the_arguments_leaves_everything_as_it_was(simulate, work: Path) -> None:
    simulate("net_float.sim", "pics/1.png")
    before = sorted(path.relative_to(work) for path in work.rglob("*"))
    (work / "text.sim").write_text("hello")
    (work / "list.txt").write_text("pics/1.png,pics/2.png\n")
    (work / "labels.txt").write_text("1.png 3\n")
    (work / "orig.onnx").write_bytes(
        onnx.parser.parse_model(FLOAT.replace("float[6,18] w,", "")).SerializeToString()[:0]
    )
    cases = {
        ("missing.sim", "pics"): "No such model: missing.sim",
        ("text.sim", "pics"): "Not recognized model. text.sim: expected a float",
        ("orig.onnx", "pics"): "Not recognized model. orig.onnx: expected a float",
        ("net_float.sim", "nothing"): "No such nothing image or directory.",
        ("net_float.sim", "home"): "No images found in home",
        ("net_float.sim", "list.txt"): "Got different num of preprocess_methods and images! list.txt, line 1",
        ("net_float.sim", "pics", "--soc_version", "toaster"): "Not support soc_version: toaster",
        ("net_float.sim", "pics", "--input_config", "no.ini"): "input_config.ini file not found.",
        ("net_float.sim", "pics", "-c", "Detection"): "Model doesn't concat SGS Postprocess method, can't handle Detec",
        (
            "net_float.sim",
            "pics",
            "-c",
            "Classification",
            "-l",
            "labels.txt",
        ): "labels.txt: expected a label for pics/0",
    }
    for arguments, message in cases.items():
        done = simulate(*arguments)
        assert (done.code, done.stdout) == (EXIT_TROUBLE, "")
        assert done.stderr.startswith(f"error: {message}"), done.stderr
    for arguments in (["-l", "labels.txt"], ["--draw_result", "x"], ["--continue_run", "--overwrite"]):
        assert simulate("net_float.sim", "pics", *arguments).code == EXIT_TROUBLE
    for name in ("text.sim", "list.txt", "labels.txt", "orig.onnx"):
        (work / name).unlink()
    assert sorted(path.relative_to(work) for path in work.rglob("*")) == before


@pytest.mark.parametrize(
    ("source", "model", "message"),
    [
        (
            "np.zeros((1, 4, 2, 3), np.float32)",
            "net_float.sim",
            "Cannot set tensor: Dimension mismatch. Got 4 but expected 3",
        ),
        (
            "np.zeros((1, 3, 2, 3))",
            "net_float.sim",
            "Cannot set input tensor: Got tensor of type Unknown TensorType but",
        ),
        (
            "np.zeros((1, 3, 2, 4), np.uint8)",
            "net_fixed.sim",
            "Cannot set tensor: Dimension mismatch. Got 4 but expected 3",
        ),
        (
            "np.full((1, 3, 2, 3), .5, 'f')",
            "net_fixed.sim",
            "Cannot set input tensor: Got tensor of type FLOAT32 but exp",
        ),
        (
            "np.zeros((3, 2, 3), np.uint8)",
            "net_fixed.sim",
            "Cannot set tensor: Dimension length mismatch. Got 3 but exp",
        ),
    ],
)
def test_a_preprocess_that_returns_something_else(simulate, work: Path, source: str, model: str, message: str) -> None:
    (work / "pre.py").write_text(f"import numpy as np\ndef image_preprocess(path, norm=True): return {source}\n")
    done = simulate(model, "pics/1.png")
    assert done.code == EXIT_TROUBLE
    assert done.stderr.startswith(f"error: {message}"), done.stderr
    assert read_folder("log/output") == {}


def test_classification_and_its_accuracy(simulate, work: Path) -> None:
    (work / "labels.txt").write_text("0.png 5\npics/1.png 4\n2.png 1\n\n3.png 0\n4.png 5\n")
    done = simulate("net_float.sim", "pics", "-c", "classification", "-l", "labels.txt", "--num_process", "2")
    assert (done.code, done.stderr) == (0, "")
    first = Path("log/output/classification_net_float.sim_0.png.txt").read_text()
    assert first == "0.png\n5 6.000000\n4 5.000000\n3 4.000000\n2 3.000000\n1 2.000000\n"
    # Class 5 always wins: two of five are right, and only the label 0 is not among the five best of six.
    assert (
        Path("log/output/net_float.sim_5_acc.log").read_bytes() == b"\n\n5 images\n\ntop1: 40.00%\n\ntop5: 80.00%\n\n"
    )
    log = "log/output/net_float.sim_5_acc.log"
    assert f"accuracy over 5 images: top1 40.00%, top5 80.00% -> {log}\nRun evaluation OK.\n" in done.stdout


def test_the_bytes_for_the_board(simulate, work: Path) -> None:
    (work / "1.png.bin").write_text("of the user")
    done = simulate("net_fixed.sim", "pics/1.png", "--dump_rawdata")
    kept = re.fullmatch(rf"note: 1\.png\.bin of an earlier run was moved to (1\.png{STAMP}\.bin)\n", done.stderr)
    assert kept
    assert Path(kept[1]).read_text() == "of the user"
    row = bytes([10, 10, 10, 0]) * 2 + bytes(56)
    assert (work / "1.png.bin").read_bytes() == row * 3
    simulate("net_float.sim", "pics/2.png", "--dump_rawdata")
    assert (work / "2.png.bin").read_bytes() == np.full(18, 20 / 255, np.float32).tobytes()


def configure(work: Path, *switches: str) -> None:
    (work / "DebugConfig.txt").write_text("\n".join(["dumpTensor", f"path={work}", *switches, ""]))


def test_a_float_dump_lines_up_with_the_original(simulate, work: Path, capfd: pytest.CaptureFixture[str]) -> None:
    configure(work)
    done = simulate("net_float.sim", "pics/3.png")
    assert (done.code, done.stderr) == (0, "")
    size = f"{(work / 'sigma_outtensor_dump.bin').stat().st_size:,}"
    line = f"dump of pics/3.png: {work}/sigma_outtensor_dump.bin, {size} bytes (as DebugConfig.txt says)\n"
    assert line + "Run evaluation OK.\n" in done.stdout
    original = float_net()
    del original.metadata_props[:]
    (work / "net.onnx").write_bytes(original.SerializeToString())
    run_command(
        capfd, "dump-onnx", "--model_file", "net.onnx", "-i", "pics/3.png", "-n", "pre.py", "--dump_bin", "True"
    )
    compared = run_command(capfd, "compare", "sigma_outtensor_dump.bin", "dumpData/onnx_NHWC_outtensor_dump.bin")
    rows = [
        f"{number:4}) {name}    MSE: 0.000000    COS: 1.000000    RMSE: 0.000000\n" for number, name in enumerate("rfy")
    ]
    assert (compared.code, compared.stdout) == (0, "".join(rows))
    manifest, note = read_manifest(str(work / "sigma_outtensor_dump.bin"))
    assert note == ""
    assert manifest is not None
    assert [mark.path for mark in manifest.inputs] == ["pics/3.png"]
    assert manifest.settings == {"dequantFixed": False, "dumpasstring": False}


def test_the_dump_without_a_path_goes_home_and_is_that_of_the_last_image(simulate, work: Path) -> None:
    (work / "DebugConfig.txt").write_text("dumpTensor\neliminateGarbage\ndequantFixed\n")
    done = simulate("net_fixed.sim", "pics", "--num_process", "2")
    assert (done.code, done.stderr) == (0, "note: the dump is that of the last image, pics/4.png\n")
    reader = open_dump(work / "home" / "sigma_outtensor_dump.bin")
    assert np.array_equal(reader.read(0).array, np.full((1, 3, 2, 3), (40 - 3) * np.float32(0.1)))
    assert len(read_folder("log/output")) == 5
    results = read_folder("log/output")
    (work / "DebugConfig.txt").unlink()
    simulate("net_fixed.sim", "pics", "--overwrite")
    assert read_folder("log/output") == results


def test_every_switch_has_its_effect(simulate, work: Path) -> None:
    dump = work / "sigma_outtensor_dump.bin"
    shown = {}
    for switches in (
        ("eliminateGarbage", "dequantFixed"),
        ("eliminateGarbage",),
        ("dequantFixed",),
        (),
        ("eliminateGarbage", "dequantFixed", "dumpasstring"),
        ("eliminateGarbage", "dumpasstring"),
        ("dumpasstring",),
        ("eliminateGarbage", "dequantFixed", "dumpdonotrecovery", "disableDomainFuseOps"),
    ):
        configure(work, *switches)
        done = simulate("net_fixed.sim", "pics/1.png", "--overwrite")
        assert done.code == 0
        shown[switches] = (
            dump.read_bytes(),
            [re.sub(r": .*", "", line.removeprefix("note: DebugConfig.txt: ")) for line in done.stderr.splitlines()],
        )
    real, raw = shown["eliminateGarbage", "dequantFixed"], shown["eliminateGarbage",]
    assert real[0].startswith(
        b"isFloat: 1\n//in 0 s: 0.100000 z: 3 type: SGS_U8 name: x bConstant:0 shape:[1, 3, 2, 3]"
    )
    assert raw[0].startswith(b"isFloat: 0\n//in 0 s: 0.100000 z: 3 type: SGS_U8 name: x bConstant:0 shape:[1, 3, 2, 3]")
    assert (real[1], raw[1]) == ([], ["dequantFixed is off"])
    no_hardware = "eliminateGarbage is off, but there is no hardware whose padding could be dumped"
    assert shown["dequantFixed",] == (real[0], [no_hardware])
    assert shown[()] == (raw[0], [no_hardware, "dequantFixed is off"])
    text = shown["eliminateGarbage", "dequantFixed", "dumpasstring"]
    assert text[1] == ["dumpasstring"]
    assert b"\n\n0.700000, 0.700000, 0.700000, 0.700000, " in text[0]
    bytewise = shown["eliminateGarbage", "dumpasstring"][0]
    assert b" = {\n    10,     10,     10,     10, " in bytewise
    assert shown["dumpasstring",][0] == bytewise.replace(b" = {\n", b" = {\n\n")
    others = shown["eliminateGarbage", "dequantFixed", "dumpdonotrecovery", "disableDomainFuseOps"]
    assert others[0] == real[0]
    assert len(others[1]) == 2


def test_colours_in_another_order_than_that_of_training_are_told_where_a_dump_shows_them(work: Path) -> None:
    model = load_sim("net_fixed.sim")
    swapped = replace(model, inputs=(replace(model.inputs[0], input_format="BGRA"),))
    config = DebugConfig(dump_tensor=True, eliminate_garbage=True, dequant_fixed=True)
    notes: list[str] = []
    note_switches(config, swapped, notes.append)
    assert notes == []
    note_switches(config, replace(swapped, converted={}), notes.append)
    assert notes == [
        "input x is dumped as the board is fed, BGRA; that of a float model is RGB: compared with it, its colours are "
        "in another order"
    ]


def test_an_earlier_dump_is_moved_aside_with_its_manifest(simulate, work: Path) -> None:
    configure(work)
    simulate("net_float.sim", "pics/1.png")
    first = (work / "sigma_outtensor_dump.bin").read_bytes()
    done = simulate("net_float.sim", "pics/2.png")
    kept = re.search(rf"moved to (\S*/sigma_outtensor_dump{STAMP}\.bin)\n", done.stderr)
    assert kept
    assert Path(kept[1]).read_bytes() == first
    manifest, _ = read_manifest(kept[1])
    assert manifest is not None
    assert manifest.inputs[0].path == "pics/1.png"
    simulate("net_float.sim", "pics/3.png", "--overwrite")
    assert len(list(work.glob("sigma_outtensor_dump*.bin"))) == 2


def test_an_offline_model_refuses_to_dump(simulate, work: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run_command(capfd, "compile", "-m", "net_fixed.sim", "-o", "net.img")
    configure(work)
    done = simulate("net.img", "pics")
    assert (done.code, done.stdout) == (EXIT_TROUBLE, "")
    assert done.stderr.startswith(
        "error: net.img: an offline model cannot be dumped: its layers are sealed in it\nhint: d"
    )
    assert not (work / "log").exists()


def test_a_folder_that_is_not_there_is_told_before_anything_runs(simulate, work: Path) -> None:
    (work / "DebugConfig.txt").write_text("dumpTensor\npath=/nowhere/at/all\n")
    done = simulate("net_float.sim", "pics")
    assert done.code == EXIT_TROUBLE
    assert "path= expected an existing folder, found none at /nowhere/at/all" in done.stderr
    assert not (work / "log").exists()


@pytest.mark.reference
def test_the_vendor_s_data_set_gives_the_vendor_s_files(reference: Path, simulate, work: Path) -> None:
    pytest.importorskip("cv2")
    folder = reference / "smallnet"
    theirs = folder / "outputs" / "classification_dataset"
    (work / "pre.py").write_text((folder / "preprocess.py").read_text())
    more = ("-c", "Classification", "-l", str(theirs / "labels.txt"), "--num_process", "2")
    assert simulate(str(folder / "fixed.sim"), str(theirs / "images"), *more).code == 0
    found = read_folder("log/output")
    assert len(found) == 5
    for name, data in found.items():
        assert data == (theirs / name).read_bytes(), name
