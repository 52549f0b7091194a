"""What the benches of simulate, calibrate and accuracy make and check."""

import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

from bench import accuracy, simulate
from bench.data import reference as place
from bench.data.check_results import read_result
from bench.data.cosine import measure_cosine
from bench.data.ladder import Ladder
from bench.data.layer_accuracy import Sums
from bench.harness import Context, Row, Table
from bench.harness.process import Run, run_process
from ipudebug.config.input_config import load_input_config
from ipudebug.demo.work_folder import locate_example
from ipudebug.results import write_result
from ipudebug.tensor import Tensor, TensorInfo

ROOT = Path(__file__).parents[2]
RIVALS = ROOT / "bench" / "rivals"


def run(folder: Path, *argv: object, check: bool = True) -> Run:
    return run_process([sys.executable, *map(str, argv)], cwd=folder, env={"PYTHONPATH": str(ROOT)}, check=check)


@pytest.fixture(scope="module")
def ladder(tmp_path_factory: pytest.TempPathFactory) -> Ladder:
    """A tiny net on its way to the board, its three drawn pictures, and what the original gives for them."""
    folder = tmp_path_factory.mktemp("ladder")
    made = Ladder(Context(folder, folder), folder, "tiny", folder / "pictures")
    run(folder, "-m", "bench.data.nets", made.model, "mobilenet", 32, "--width", 4)
    run(folder, "-m", "bench.data.surroundings", made.model, folder, "--pictures", 3)
    made.convert()
    made.calibrate()
    run(folder, RIVALS / "plain_runs.py", made.model, made.images, made.preprocess, folder / "outputs.npz")
    return made


def test_the_surroundings_fit_the_model(ladder: Ladder) -> None:
    config = load_input_config(str(ladder.ini))
    assert config.inputs == ("image",)
    assert config.mean == ((127.5, 127.5, 127.5),)
    assert len(list(ladder.images.iterdir())) == 3
    with np.load(ladder.folder / "outputs.npz") as outputs:
        ((_, stacked),) = outputs.items()
    assert stacked.shape == (3, 1, 1000)
    assert not np.array_equal(stacked[0], stacked[1])


def test_fewer_images_are_the_first(ladder: Ladder) -> None:
    assert sorted(path.name for path in ladder.pick_images(2).iterdir()) == ["00.png", "01.png"]


def test_the_steady_state_is_measured_in_turns(ladder: Ladder) -> None:
    files = [ladder.model, ladder.floating, ladder.preprocess, ladder.images]
    found = json.loads(run(ladder.folder, "-m", "bench.rivals.steady_state", *files, 2).stdout)
    assert len(found["ours"]) == len(found["theirs"]) == 2
    assert min(*found["ours"], *found["theirs"]) > 0
    assert 0.999999 < found["cos"] <= 1.0000001
    assert found["repeats"] is True


def test_a_fixed_model_is_measured_on_the_boards_input(ladder: Ladder) -> None:
    files = [ladder.model, ladder.fixed, ladder.preprocess, ladder.images]
    found = json.loads(run(ladder.folder, "-m", "bench.rivals.steady_state", *files, 1).stdout)
    assert 0.9 < found["cos"] < 0.999999
    assert found["repeats"] is True


def test_result_files_are_held_against_the_original(ladder: Ladder) -> None:
    argv = [ladder.context.ipudebug, "simulate", "-m", ladder.floating, "-i", ladder.images, "-n", ladder.preprocess]
    ladder.context.run(argv, cwd=ladder.folder)
    outputs, results = ladder.folder / "outputs.npz", ladder.folder / "log" / "output"
    check = ["-m", "bench.data.check_results", outputs, results, 0.999999]
    run(ladder.folder, *check)
    first = min(results.glob("*.txt"))
    text = first.read_text()
    first.write_text(text.replace("  -", "  "))  # loses signs
    wrong = run(ladder.folder, *check, check=False)
    assert wrong.code == 1
    assert "expected at least 0.999999" in wrong.stderr
    first.unlink()
    assert "2 result files" in run(ladder.folder, *check, check=False).stderr


def test_a_result_file_of_two_outputs_is_read(tmp_path: Path) -> None:
    arrays = {"a b": np.float32([[1.5, -2.25, 3]]), "c": np.arange(40, dtype=np.float32).reshape(1, 2, 4, 5)}
    tensors = [Tensor(TensorInfo(name, array.shape, array.dtype), array) for name, array in arrays.items()]
    write_result(str(tmp_path / "r.txt"), tensors)
    found = read_result(tmp_path / "r.txt")
    assert list(found) == ["a b", "c"]
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array.reshape(-1))


def test_the_cosine_is_the_known_example() -> None:
    assert measure_cosine(np.float32([[3, 4]]), np.float32([[4, 3]])) == pytest.approx(24 / 25)
    assert measure_cosine(np.zeros(3), np.zeros(3)) == 1
    assert measure_cosine(np.zeros(3), np.ones(3)) == 0
    with pytest.raises(ValueError, match="against"):
        measure_cosine(np.zeros((2, 3)), np.zeros((3, 2)))


def test_the_sums_of_images_are_those_of_one_long_layer() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.standard_normal((2, 4, 30)).astype(np.float32)
    sums = Sums()
    for one, other in zip(a, b, strict=True):
        sums.add(one, other)
    x, y = a.ravel().tolist(), b.ravel().tolist()
    pairs = list(zip(x, y, strict=True))
    energy, noise = math.fsum(v * v for v in y), math.fsum((u - v) ** 2 for u, v in pairs)
    cosine, error, decibels = sums.measure()
    assert cosine == pytest.approx(math.fsum(u * v for u, v in pairs) / math.sqrt(math.fsum(u * u for u in x) * energy))
    assert error == pytest.approx(math.fsum(abs(u - v) for u, v in pairs) / math.fsum(map(abs, y)))
    assert decibels == pytest.approx(10 * math.log10(energy / noise))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([1, 2], [1, 2], (1, 0, math.inf)),
        ([0, 0], [0, 0], (1, 0, math.inf)),
        ([1, 2], [0, 0], (0, math.inf, -math.inf)),
        ([0, 0], [1, 2], (0, 1, 0)),
    ],
)
def test_layers_that_are_equal_or_zero(a: list[int], b: list[int], expected: tuple[float, ...]) -> None:
    sums = Sums()
    sums.add(np.float32(a), np.float32(b))
    assert sums.measure() == pytest.approx(expected)


def test_the_vendors_model_is_left_out_where_it_is_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "REFERENCE", tmp_path / "nowhere")
    rows = list(simulate.measure_vendor(Context(tmp_path, tmp_path)))
    assert [(row.holds, row.aim.split()[1]) for row in rows] == [(None, "1.5"), (None, "8")]


def test_the_demo_is_measured_layer_by_layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the reference the other models are left out, and their rows say why."""
    monkeypatch.setattr(place, "REFERENCE", tmp_path / "nowhere")
    work = tmp_path / "work"
    work.mkdir()
    found = list(accuracy.rows(Context(work, tmp_path, quick=True)))
    rows = [one for one in found if isinstance(one, Row)]
    tables = [one for one in found if isinstance(one, Table)]
    assert [row.holds for row in rows] == [True] * 4 + [None] * 4
    assert all("IPUDEBUG_REFERENCE" in row.note for row in rows[4:])
    assert [table.title for table in tables] == ["What 8 and 16 bits cost", "demo, digits: every layer"]
    layers = {line[0]: line[1:] for line in tables[1].lines}
    assert {"relu1", "fc", "prob"} <= set(layers)
    assert all(len(line) == len(table.columns) for table in tables for line in table.lines)
    assert float(layers["fc"][0]) <= float(layers["fc"][3])  # 16 bits are no worse than 8
    assert float(layers["fc"][2]) < float(layers["fc"][5])
    worst = min(tables[1].lines, key=lambda line: float(line[1]))
    assert tables[0].lines[0][4] == worst[0]
    assert not (Path(locate_example("model.onnx")).parent / "model_float.sim").exists()
