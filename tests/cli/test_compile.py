"""The command; what it writes is tested in tests/sim/test_seal.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipudebug.cli.app import EXIT_TROUBLE
from ipudebug.sim.loading import load_sim
from ipudebug.sim.model import Stage
from tests.command import run_command
from tests.sim.test_seal import fixed_net


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "net_fixed.sim").write_bytes(fixed_net().SerializeToString())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_offline_model_stands_beside_the_fixed_one(work: Path, capfd: pytest.CaptureFixture[str]) -> None:
    done = run_command(capfd, "compile", "-m", "net_fixed.sim", "--soc_version", "souffle")
    assert (done.code, done.stdout, done.stderr) == (0, "Offline model at: net_fixed.sim_sgsimg.img\n", "")
    assert load_sim("net_fixed.sim_sgsimg.img").stage is Stage.OFFLINE


def test_an_older_one_is_replaced_with_a_note(work: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (work / "out.img").write_bytes(b"old")
    done = run_command(capfd, "compile", "-m", "net_fixed.sim", "-o", "out.img", "-b", "1,2", "--batch_mode", "one_buf")
    assert (done.code, done.stdout) == (0, "Offline model at: out.img\n")
    assert done.stderr == "note: out.img existed and was replaced\n"
    assert load_sim("out.img").stage is Stage.OFFLINE


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-m", "nothing.sim"], "No such model: nothing.sim"),
        (["-m", "net_fixed.sim", "--soc_version", "toaster"], "Not support soc_version: toaster"),
        (["-m", "text.sim"], "Not recognized model. text.sim: expected a fixed model, found text"),
        (["-m", "net_fixed.sim", "-b", "1,2"], "n_buf batch_mode must be specific one max batch size."),
        (["-m", "net_fixed.sim", "-o", "net_fixed.sim"], "-o net_fixed.sim would overwrite an input"),
        (["-m", "net_fixed.sim", "-o", "no/folder.img"], "cannot write no/folder.img"),
    ],
)
def test_bad_input(work: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    (work / "text.sim").write_text("hello")
    before = sorted(path.name for path in work.iterdir())
    done = run_command(capfd, "compile", *arguments)
    assert (done.code, done.stdout) == (EXIT_TROUBLE, "")
    assert done.stderr.startswith(f"error: {message}")
    assert sorted(path.name for path in work.iterdir()) == before
