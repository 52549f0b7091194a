"""``ipudebug diagnose`` as a user meets it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from tests.command import run_command
from tests.diagnosis.arrays import draw_map
from tests.diagnosis.test_blame import error, write_pair
from tests.dump_files import record, write_dump_file

FOUND = """\
verdict: abrupt at conv2
  the error along a straight line of conv2 is 3e+09 x what the layers before it let expect
  5 layers compared, 0 without a partner (ipudebug compare lists them)

1) conv2  row 2  [1, 12, 14, 8]  COS 1.000000  RMSE 1.000000  jump: 3e+09 x what was to be expected
   scale (100% sure): straight line through the values: sample = 2 x benchmark, which explains 100% of the error
   do: compare the tensor's scale (min/max) in the fixed model with the range of the float tensor, and how the dump \
was dequantised; calibrate again with images like those that are used
"""
CLEAN = """\
verdict: clean
  no row is suspicious and no layer changes clearly
  5 layers compared, 0 without a partner (ipudebug compare lists them)
"""


@pytest.fixture(autouse=True)
def dumps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder with two dumps that part at conv2."""
    monkeypatch.chdir(tmp_path)
    for side in ("sample", "benchmark"):
        records = [
            record(
                f"conv{number}",
                (draw_map(number) * (2 if (side, number) == ("sample", 2) else 1)).ravel(),
                (1, 12, 14, 8),
            )
            for number in range(5)
        ]
        write_dump_file(Path(f"{side}.bin"), *records)


def test_the_verdict_names_layer_kind_and_remedy(capfd: pytest.CaptureFixture[str]) -> None:
    outcome = run_command(capfd, "diagnose", "sample.bin", "benchmark.bin")
    assert outcome.code == 0
    assert outcome.stderr == ""
    assert outcome.stdout.startswith(FOUND.replace("3e+09", outcome.stdout.split(" of conv2 is ")[1].split()[0]))


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_layers_without_an_error_of_their_own_are_named_in_one_line(
    form: str, capfd: pytest.CaptureFixture[str]
) -> None:
    factors = {2: 2.0, 3: 1.5}
    records = [
        record(f"conv{number}", (draw_map(number) * factors.get(number, 1)).ravel(), (1, 12, 14, 8))
        for number in range(5)
    ]
    write_dump_file(Path("spread.bin"), *records)
    text = run_command(capfd, "diagnose", "spread.bin", "benchmark.bin", "--format", form, "-o", "-").stdout
    words = re.sub(r"<[^>]*>", "", text)
    said = re.findall("less likely, their error is what the layers before them hand on: (.*)", words, re.IGNORECASE)
    assert [re.sub(r" \(jump [0-9.e+-]+\)", "", names) for names in said] == ["conv3"]


def test_a_clean_pair_is_said_to_be_clean(capfd: pytest.CaptureFixture[str]) -> None:
    outcome = run_command(capfd, "diagnose", "benchmark.bin", "benchmark.bin", "--check")
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, CLEAN, "")


def test_check_makes_a_verdict_an_exit_code(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command(capfd, "diagnose", "sample.bin", "benchmark.bin", "--check").code == 1


def test_json_is_strict_and_complete(capfd: pytest.CaptureFixture[str]) -> None:
    def refuse(text: str) -> object:
        raise AssertionError(text)

    outcome = run_command(capfd, "diagnose", "sample.bin", "benchmark.bin", "--format", "json", "-o", "verdict.json")
    assert (outcome.code, outcome.stdout) == (0, "")
    data = json.loads(Path("verdict.json").read_text(encoding="utf-8"), parse_constant=refuse)
    assert (data["version"], data["verdict"], data["layer"], data["kind"]) == (1, "abrupt", "conv2", "scale")
    assert data["suspects"][0]["findings"][0]["numbers"]["gain"] == pytest.approx(2)
    assert [layer["name"] for layer in data["layers"]] == [f"conv{number}" for number in range(5)]
    assert data["blame"] is None


def test_nan_is_json_too(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    write_dump_file(tmp_path / "a.bin", record("x", [1, float("nan"), 3, 4]), record("y", [1, 2, 3, 4]))
    write_dump_file(tmp_path / "b.bin", record("x", [1, 2, 3, 4]), record("y", [1, 2, 3, 4]))
    outcome = run_command(capfd, "diagnose", "a.bin", "b.bin", "--format", "json")
    data = json.loads(outcome.stdout)
    assert (data["layer"], data["kind"], data["suspects"][0]["jump"]) == ("x", "nan", "Infinity")
    assert "NaN is new in it" in run_command(capfd, "diagnose", "a.bin", "b.bin").stdout


def test_with_the_model_the_error_is_shared_out(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    sample, benchmark, model = write_pair(tmp_path, {"conv2": error(0.3, 1, 4, 8, 8)})
    outcome = run_command(capfd, "diagnose", sample, benchmark, "--float-model", model)
    assert outcome.code == 0
    assert "verdict: abrupt at conv2" in outcome.stdout
    line = next(line for line in outcome.stdout.splitlines() if line.startswith("conv2 "))
    assert "originates" in line
    assert line.endswith("100.0%")
    data = json.loads(
        run_command(capfd, "diagnose", sample, benchmark, "--float-model", model, "--format", "json").stdout
    )
    assert {layer["name"]: layer["role"] for layer in data["blame"]["layers"]}["relu1"] == "right"


def test_two_model_inputs(capfd: pytest.CaptureFixture[str]) -> None:
    right = np.random.default_rng(0).normal(0, 1, (1, 20, 24, 3))
    np.save("right.npy", right)
    np.save("wrong.npy", right[..., ::-1])
    outcome = run_command(capfd, "diagnose", "--preprocess", "wrong.npy", "right.npy", "--check")
    assert outcome.code == 1
    assert outcome.stdout.startswith("verdict: channel-order\n")
    assert "RGB and BGR are swapped" in outcome.stdout
    assert run_command(capfd, "diagnose", "--preprocess", "right.npy", "right.npy", "--check").code == 0
    data = json.loads(
        run_command(capfd, "diagnose", "--preprocess", "wrong.npy", "right.npy", "--format", "json").stdout
    )
    assert data["findings"][0]["kind"] == "channel-order"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sample.bin", "missing.bin"], "missing.bin"),
        (["sample.bin", "benchmark.bin", "-i", "x.jpg"], "-i and -n go together"),
        (["sample.bin", "benchmark.bin", "--fixed-model", "x"], "need --float-model"),
        (["sample.bin", "benchmark.bin", "--float-model", "missing.onnx"], "missing.onnx"),
        (["sample.bin", "benchmark.bin", "--float-model", "sample.bin"], "sample.bin"),
        (["--preprocess", "sample.bin", "missing.npy"], "no image that can be read"),
        (["sample.bin", "benchmark.bin", "-o", "sample.bin"], "would overwrite an input"),
    ],
)
def test_trouble_is_told_in_a_sentence(arguments: list[str], words: str, capfd: pytest.CaptureFixture[str]) -> None:
    outcome = run_command(capfd, "diagnose", *arguments)
    assert outcome.code == 2
    assert words in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_the_page_shows_the_verdict_and_how_sure_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    outcome = run_command(capfd, "diagnose", "sample.bin", "benchmark.bin", "--format", "html", "-o", "verdict.html")
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, "", "")
    text = Path("verdict.html").read_text(encoding="utf-8")
    assert 'Abrupt at <a href="#layer-2">conv2</a>: scale</p>' in text
    assert "sample = 2 x benchmark" in text
    assert ">SQNR<" in text


def test_markdown_is_a_heading_and_a_table(capfd: pytest.CaptureFixture[str]) -> None:
    lines = run_command(capfd, "diagnose", "sample.bin", "benchmark.bin", "--format", "markdown").stdout.splitlines()
    assert lines[0] == "### Verdict: abrupt at `conv2`"
    assert lines[4].startswith("| layer | COS | RMSE | kind | sure |")
    assert lines[6].startswith("| conv2 | 1.000000 | 1.000000 | scale | 100% | straight line through the values:")
    assert len({line.replace("\\|", "").count("|") for line in lines[4:]}) == 1


def test_inputs_have_no_page(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((1, 8, 8, 3), np.float32))
    outcome = run_command(capfd, "diagnose", "--preprocess", "a.npy", "a.npy", "--format", "html")
    assert (outcome.code, outcome.stderr.splitlines()[0]) == (2, "error: --preprocess has no --format html")
