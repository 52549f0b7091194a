"""What the bench makes and checks: its dumps, its true numbers, its judgement of what others print."""

import json
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.data import truth
from bench.data.agreement import require_close, require_same_rows, require_true_rows
from bench.data.blocks import format_header, read_blocks
from bench.data.pairs import choose_shapes, write_pair
from bench.harness import BenchError
from bench.harness.process import run_process
from ipudebug.dumps import open_dump

RIVALS = Path(__file__).parents[2] / "bench" / "rivals"
OURS = (
    "   0) a b    MSE: 0.062500    COS: 0.998295    RMSE: 0.050000\n"
    "   1) c      MSE: 1.000000    COS: nan    RMSE: inf\n"
)
THEIRS = "0.a b\tMSE:\t0.062500\tCOS:\t0.998295\tRMSE:\t0.050000\n1.c\tMSE:\t1.000000\tCOS:\tnan\tRMSE:\tinf\n"


@pytest.fixture
def pair(tmp_path):
    rng = np.random.default_rng(1)
    shapes = [(1, 5, 4, 3), (1, 17), (1, 2, 2, 2), *choose_shapes("small", 4, (), rng)]
    write_pair(tmp_path, shapes, rng)
    return tmp_path / "sample.bin", tmp_path / "benchmark.bin"


def test_a_header_is_the_grammar_to_the_byte():
    assert format_header("conv1", (1, 32, 32, 8), 3, "RELU", size=32768) == (
        b"//out 0 s: 0.000000 z: 0 type: float name: conv1 bConstant:0 shape:[1, 32, 32, 8] dims:4\n"
        b"op_out[3] RELU = {\n//buffer data size: 32768\n"
    )


def test_a_pair_is_what_ipudebug_reads(pair):
    for path in pair:
        reader = open_dump(path)
        blocks = list(read_blocks(path))
        assert [(info.name, info.shape) for info in reader.infos] == [block[:2] for block in blocks]
        assert len(blocks) == 7
        for index, (_, _, values) in enumerate(blocks):
            np.testing.assert_array_equal(np.ravel(reader.read(index).array), values)


def test_the_sides_of_a_pair_are_near_but_not_equal(pair):
    for (_, _, a), (_, _, b) in zip(read_blocks(pair[0]), read_blocks(pair[1]), strict=True):
        assert 0 < np.mean((a - b) ** 2) < 0.1
    assert not np.array_equal(a, b)


def test_small_tensors_are_of_about_a_thousand_values():
    sizes = [shape[-1] for shape in choose_shapes("small", 20_000, (), np.random.default_rng(0))]
    assert min(sizes) >= 16
    assert max(sizes) <= 4096
    assert 900 < np.mean(sizes) < 1100


def test_the_true_numbers_are_the_known_example():
    found = truth.measure_pair(np.float32([1, 2, 3, 4.5]), np.float32([1, 2, 3, 4]))
    assert {name: round(value, 6) for name, value in found.items()} == {
        "mse": 0.0625, "cos": 0.998295, "rmse": 0.05, "mean_abs": 0.125, "max_abs": 0.5,
    }  # fmt: skip


def test_the_true_numbers_do_not_depend_on_the_chunk(monkeypatch):
    rng = np.random.default_rng(2)
    a, b = rng.standard_normal((2, 1000)).astype(np.float32)
    whole = truth.measure_pair(a, b)
    monkeypatch.setattr(truth, "CHUNK", 7)
    assert truth.measure_pair(a, b) == pytest.approx(whole, rel=1e-13)


def test_the_re_enactment_prints_the_true_numbers(pair, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["truth", *map(str, pair), str(tmp_path / "truth.json")])
    truth.main()
    numbers = json.loads((tmp_path / "truth.json").read_text())
    run = run_process([sys.executable, RIVALS / "vendor_compare.py", *pair], cwd=tmp_path)
    lines = "".join(
        f"{index:4d}) {name}    MSE: {row['mse']:.6f}    COS: {row['cos']:.6f}    RMSE: {row['rmse']:.6f}\n"
        for index, (name, row) in enumerate(numbers.items())
    )
    require_same_rows(lines, run.stdout)
    require_true_rows(lines, numbers)


def test_equal_rows_agree_whatever_their_form():
    require_same_rows(OURS, THEIRS)


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        (THEIRS.replace("0.998295", "0.998296"), "1 of 2 rows differ; a b"),
        (THEIRS.replace("inf", "nan"), "1 of 2 rows differ; c"),
        (THEIRS.splitlines(keepends=True)[0], "too many \\['c'\\]"),
        (THEIRS + THEIRS.splitlines()[0].replace("a b", "d"), "missing \\['d'\\]"),
        ("Traceback", "no row was printed"),
    ],
)
def test_rows_that_differ_are_told(theirs, said):
    with pytest.raises(BenchError, match=said):
        require_same_rows(OURS, theirs)


def test_a_printed_number_must_be_the_nearest():
    row = OURS.splitlines()[0]
    require_true_rows(row, {"a b": {"mse": 0.0625004, "cos": 0.9982946, "rmse": 0.05}})
    with pytest.raises(BenchError, match="mse of a b"):
        require_true_rows(row, {"a b": {"mse": 0.0625006, "cos": 0.9982946, "rmse": 0.05}})


def test_a_nan_is_never_close():
    with pytest.raises(BenchError, match="expected 1"):
        require_close({"a": {"cos": float("nan")}}, {"a": {"cos": 1.0}}, ("cos",), absolute=1, relative=1)


def test_the_vendors_dump_holds_what_the_model_computes(tmp_path):
    """A net small enough to check by hand: every output of every node, channels last."""
    onnx = pytest.importorskip("onnx")
    root = str(RIVALS.parents[1])
    environment = {"PYTHONPATH": root}

    def run(*argv, check=True):
        return run_process([sys.executable, *argv], cwd=tmp_path, env=environment, check=check)

    built = run("-m", "bench.data.nets", "model.onnx", "unet", "32", "--width", "2")
    run("-m", "bench.data.picture", tmp_path, "32")
    run(RIVALS / "plain_inference.py", "model.onnx", "picture.png", "preprocess.py", "outputs.npz")
    run(RIVALS / "vendor_dump.py", "model.onnx", "picture.png", "preprocess.py", "dump.bin")
    model = onnx.load(tmp_path / "model.onnx")
    blocks = {name: (shape, values) for name, shape, values in read_blocks(tmp_path / "dump.bin")}
    assert set(blocks) == {name for node in model.graph.node for name in node.output}
    assert sum(values.nbytes for _, values in blocks.values()) == int(built.stdout)
    with np.load(tmp_path / "outputs.npz") as outputs:
        ((name, array),) = outputs.items()
    assert blocks[name][0] == (1, 32, 32, 2)
    np.testing.assert_array_equal(blocks[name][1].reshape(1, 32, 32, 2), array.transpose(0, 2, 3, 1))

    run("-m", "bench.data.check_dump", "dump.bin", "outputs.npz")
    whole = (tmp_path / "dump.bin").read_bytes()
    (tmp_path / "other.bin").write_bytes(whole[:-4] + struct.pack("f", 7.0))
    wrong = run("-m", "bench.data.check_dump", "dump.bin", "other.bin", check=False)
    assert wrong.code == 1
    assert "1 of 2048 values differ" in wrong.stderr
