"""Every command of docs/ci.md is run as it stands there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from ipudebug.baseline import LAYER_SLACK, OVERALL_SLACK
from ipudebug.reports import REPORTS
from tests.command import run_command
from tests.dump_files import record, write_dump_file

PAGE = (Path(__file__).parents[1] / "docs" / "ci.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def dumps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "float").mkdir()
    for name, last in (("fixed.bin", 4.5), ("float.bin", 4), ("float/onnx_NHWC_outtensor_dump.bin", 4)):
        write_dump_file(Path(name), record("a", [1, 2, 3, 4]), record("b", [1, 2, 3, last], index=1))


def test_the_shell_commands_do_what_they_say(capfd):
    lines = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
    assert len(lines) == 6
    for line in lines:
        program, *arguments = shlex.split(line)
        assert program == "ipudebug"
        assert run_command(capfd, *arguments).code == 0, line
    assert {path.name for path in Path().iterdir()} >= {"baseline.json", "strict.json", "bundle.zip"}


def test_the_recipe_runs_and_the_gate_holds(capfd):
    arguments = ["compare", "fixed.bin", "float/onnx_NHWC_outtensor_dump.bin"]
    Path("accuracy").mkdir()
    run_command(capfd, *arguments, "--format", "json", "-o", "accuracy/baseline.json")
    write_dump_file(Path("fixed.bin"), record("a", [1, 2, 3, 4]), record("b", [4, 3, 2, 1], index=1))
    steps = [" ".join(step.split()) for step in re.findall(r"run: >\n(.*?)\n      -", PAGE, re.DOTALL)]
    gate, summary, verdict = (shlex.split(step.partition(" >> ")[0]) for step in steps)
    assert run_command(capfd, *gate[1:]).code == 1
    assert Path("report.html").exists()
    assert run_command(capfd, *summary[1:]).stdout.startswith("|")
    assert run_command(capfd, *verdict[1:]).stdout.startswith("### Verdict: ")


def test_the_numbers_and_names_are_the_real_ones():
    assert f"`--layer-slack` ({LAYER_SLACK})" in PAGE
    assert f"`--overall-slack` ({OVERALL_SLACK})" in PAGE
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) <= set(REPORTS)
