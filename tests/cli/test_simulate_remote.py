"""``ipudebug simulate --host --port``: the files of a run on the PC, from a board."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("msgpack")

from ipudebug.board.faults import parse_faults
from ipudebug.cli.app import EXIT_MISSED, EXIT_TROUBLE
from tests.board.models import seal_net
from tests.board.serving import serving
from tests.board.test_remote import LocalEngine
from tests.cli.test_simulate import PREPROCESS
from tests.command import Outcome, run_command

MODEL = "net_fixed.sim_sgsimg.img"


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    seal_net(tmp_path)
    (tmp_path / "pre.py").write_text(PREPROCESS)
    (tmp_path / "pics").mkdir()
    for number in range(5):
        (tmp_path / f"pics/{number}.png").write_text(str(10 * number))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def simulate(capfd: pytest.CaptureFixture[str], *more: str, model: str = MODEL) -> Outcome:
    return run_command(capfd, "simulate", "-m", model, "-i", "pics", "-n", "pre.py", "--overwrite", *more)


def read_results() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(Path("log/output").iterdir())}


@pytest.mark.parametrize("onboard", [(), ("--model_onboard_path", MODEL)])
def test_results_are_those_of_the_pc(work: Path, capfd: pytest.CaptureFixture[str], onboard: tuple[str, ...]) -> None:
    local = simulate(capfd)
    wanted = read_results()
    assert (local.code, len(wanted)) == (0, 5)
    with serving(LocalEngine(), model_folder=str(work)) as running:
        host = ("--host", "127.0.0.1", "--port", str(running.port))
        done = simulate(capfd, *host, *onboard, "--against-pc", "--num_process", "3")
        assert running.house.runs == 5
    assert (done.code, done.stderr) == (0, "note: --num_process: a board is asked for one image after the other\n")
    assert read_results() == wanted
    lines = done.stdout.splitlines()
    assert "board and PC are bit-equal on 5 images" in lines
    assert any(line.startswith("board: ") and line.endswith("ms an image (min / median / p95)") for line in lines)
    mine = [line for line in lines if not line.startswith("board")]
    assert mine == local.stdout.splitlines()


def test_a_board_that_differs_is_exit_code_1(work: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with serving(LocalEngine(), faults=parse_faults(["unaligned"])) as running:
        host = ("--host", "127.0.0.1", "--port", str(running.port))
        done = simulate(capfd, *host, "--against-pc")
        assert simulate(capfd, *host).code == 0
    assert done.code == EXIT_MISSED
    assert "board and PC differ on " in done.stdout
    assert "the board's outputs are not aligned to 16 bytes, read them so" in done.stdout


def test_continue_run_goes_on_where_the_board_was_lost(work: Path, capfd: pytest.CaptureFixture[str]) -> None:
    wanted = (simulate(capfd).code, read_results())
    for name in ("unknown_net_fixed.sim_sgsimg.img_1.png.txt", "unknown_net_fixed.sim_sgsimg.img_4.png.txt"):
        (Path("log/output") / name).unlink()
    with serving(LocalEngine()) as running:
        host = ("--host", "127.0.0.1", "--port", str(running.port), "--continue_run")
        done = run_command(capfd, "simulate", "-m", MODEL, "-i", "pics", "-n", "pre.py", *host)
        assert (done.code, running.house.runs) == (0, 2)
    assert (0, read_results()) == wanted


def test_a_board_that_is_lost_leaves_whole_files_only(work: Path, capfd: pytest.CaptureFixture[str]) -> None:
    wanted = (simulate(capfd).code, read_results())
    with serving(LocalEngine(), faults=parse_faults(["drop=300"])) as running:
        host = ("--host", "127.0.0.1", "--port", str(running.port))
        done = simulate(capfd, *host)
    assert done.code == EXIT_TROUBLE
    assert "error: 127.0.0.1:" in done.stderr
    assert "--continue_run" in done.stderr
    assert read_results().items() <= wanted[1].items()
    assert not list(work.rglob("*.part"))


def test_a_board_that_comes_back_is_noted(work: Path, capfd: pytest.CaptureFixture[str]) -> None:
    wanted = (simulate(capfd).code, read_results())
    with serving(LocalEngine(), faults=parse_faults(["drop=500"])) as running:
        done = simulate(capfd, "--host", "127.0.0.1", "--port", str(running.port))
    assert (done.code, read_results()) == wanted
    assert done.stderr.startswith("note: 127.0.0.1:")
    assert done.stderr.splitlines()[0].endswith("; connecting again")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--host", "127.0.0.1"], "--host and --port belong together"),
        (["--against-pc"], "--model_onboard_path and --against-pc need a board"),
    ],
)
def test_half_a_board(work: Path, capfd: pytest.CaptureFixture[str], options: list[str], message: str) -> None:
    done = simulate(capfd, *options)
    assert done.code == EXIT_TROUBLE
    assert message in done.stderr


def test_a_fixed_model_is_not_for_a_board(work: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with serving(LocalEngine()) as running:
        done = simulate(capfd, "--host", "127.0.0.1", "--port", str(running.port), model="net_fixed.sim")
    assert done.code == EXIT_TROUBLE
    assert "error: Only support Sigmastar Offline model." in done.stderr
    assert not (work / "log").exists()
