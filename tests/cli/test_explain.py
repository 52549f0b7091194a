from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.command import run_command

TOPK = """\
  stage    row 037, float conversion
  cause    TopK asked for the smallest elements
  when     TopK largest=0
  do       stay within the chip's limit: smaller kernel, stride or count, split the operator, or move it out of the model
  rewrite  negate the input, take the largest, negate the values
  look at  TopK largest
  more     docs/errors.md#row-037
"""  # noqa: E501 - the output as it is
MESSAGE = "Exception: ONNX TOPK SGS only supports the top-K largest elements along a specified axis:/head/TopK"


class Stdin(io.StringIO):
    """Standard input that something is piped into."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.buffer = io.BytesIO(content)


def test_a_message_as_an_argument(capfd: pytest.CaptureFixture[str]) -> None:
    done = run_command(capfd, "explain", MESSAGE)
    assert (done.code, done.stdout, done.stderr) == (0, f"{MESSAGE}\n{TOPK}", "")


def test_the_words_of_a_message_without_quotes(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command(capfd, "explain", *MESSAGE.split()).stdout == f"{MESSAGE}\n{TOPK}"


def test_a_log_in_a_file(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    log = tmp_path / "convert.log"
    log.write_text(f"start\n{MESSAGE}\nstill running\nValueError: Not recognized model.\n{MESSAGE}\n")
    expected = f"""\
line 2: {MESSAGE}  (2 times)
{TOPK}
line 4: ValueError: Not recognized model.
  stage    row 083, fixed conversion
  cause    the file is no float model
  when     calibrator got a file that is no sim model of the expected kind
  do       give an existing file of the right kind for this command
  look at  -m
  more     docs/errors.md#row-083
"""
    for arguments in ((str(log),), ("--file", str(log))):
        done = run_command(capfd, "explain", *arguments)
        assert (done.code, done.stdout, done.stderr) == (0, expected, "")


@pytest.mark.parametrize("arguments", [(), ("-",), ("--file", "-")])
def test_a_log_from_standard_input(
    arguments: tuple[str, ...], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin(f"noise \xff\n\x1b[31m{MESSAGE}\x1b[0m\n".encode("latin-1")))
    done = run_command(capfd, "explain", *arguments)
    assert (done.code, done.stdout) == (0, f"line 2: {MESSAGE}\n{TOPK}")


def test_a_pipe_by_name(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_text(MESSAGE + "\n"))
    writer.start()
    done = run_command(capfd, "explain", str(tmp_path / "pipe"))
    writer.join()
    assert done.stdout == f"line 1: {MESSAGE}\n{TOPK}"


def test_what_is_not_known_is_guessed_and_said_to_be(capfd: pytest.CaptureFixture[str]) -> None:
    done = run_command(capfd, "explain", "ONNX TOPK supports only the top-K largest elements of an axis")
    assert done.code == 1
    head, _, rest = done.stdout.partition("\n\n")
    assert head == "no known message found; these are similar, but only guesses:"
    assert "row 037" in rest
    assert 1 <= rest.count("% alike)") <= 3


def test_nothing_alike(capfd: pytest.CaptureFixture[str]) -> None:
    done = run_command(capfd, "explain", "12345")
    assert (done.code, done.stdout) == (1, "no known message found\n")
    assert done.stderr == "note: there is no file 12345, so it was taken for a message\n"


def test_a_stage_narrows(capfd: pytest.CaptureFixture[str]) -> None:
    text = "Not support soc_version: foo"
    assert run_command(capfd, "explain", text).stdout.count("  stage ") == 4
    assert run_command(capfd, "explain", text, "--stage", "x").stdout.count("  stage ") == 1
    assert run_command(capfd, "explain", MESSAGE, "--stage", "S").code == 1


def test_json(capfd: pytest.CaptureFixture[str]) -> None:
    done = run_command(capfd, "explain", MESSAGE, "--format", "json")
    report = json.loads(done.stdout)
    assert report["guesses"] == []
    (known,) = report["known"]
    assert (known["line"], known["count"], known["excerpt"]) == (1, 1, MESSAGE)
    assert known["entries"] == [
        {
            "row": "037",
            "stage": "F",
            "message": MESSAGE.replace("/head/TopK", "⟨/TopK⟩"),
            "cause": "TopK asked for the smallest elements",
            "when": "TopK largest=0",
            "evidence": "inferred",
            "remedy": "stay within the chip's limit: smaller kernel, stride or count, split the operator, "
            "or move it out of the model",
            "rewrite": "negate the input, take the largest, negate the values",
            "look": "TopK largest",
            "link": "docs/errors.md#row-037",
        }
    ]
    unknown = json.loads(run_command(capfd, "explain", "antialias of resize supports 0", "--format", "json").stdout)
    assert unknown["known"] == []
    assert unknown["guesses"][0]["row"] == "048"
    assert 0 < unknown["guesses"][0]["likeness"] < 1


def test_the_list(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    done = run_command(capfd, "explain", "--list", "--stage", "O")
    assert done.stdout == (
        "084         O  FileNotFoundError: No such model:\n"
        "085         O  ValueError: Not support soc_version: ⟨xxx⟩\n"
        "086         O  ValueError: Not recognized model\n"
        "batch-size  O  n_buf batch_mode must be specific one max batch size.\n"
    )
    whole = run_command(capfd, "explain", "--list").stdout.splitlines()
    assert len([line for line in whole if line[:3].isdigit()]) == 122
    target = tmp_path / "list.json"
    assert run_command(capfd, "explain", "--list", "--format", "json", "-o", str(target)).stdout == ""
    assert len(json.loads(target.read_text(encoding="utf-8"))) == len(whole)


def test_misuse(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both = run_command(capfd, "explain", "text", "--file", "x")
    assert (both.code, both.stdout) == (2, "")
    assert "give either MESSAGE or --file" in both.stderr
    absent = run_command(capfd, "explain", "--file", str(tmp_path / "none"))
    assert (absent.code, absent.stdout) == (2, "")
    assert "No such file" in absent.stderr
    folder = run_command(capfd, "explain", "--file", str(tmp_path))
    assert folder.code == 2
    monkeypatch.setattr(Stdin, "isatty", lambda self: True)
    monkeypatch.setattr(sys, "stdin", Stdin(b""))
    nothing = run_command(capfd, "explain")
    assert nothing.code == 2
    assert "nothing to explain" in nothing.stderr


def test_the_log_is_not_overwritten(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text(MESSAGE)
    assert run_command(capfd, "explain", str(log), "-o", str(log)).code == 2
    assert log.read_text() == MESSAGE


WRONG = [
    ("explain", "--nonsense"),
    ("explain", "--stage", "Q", "x"),
    ("check",),
    ("check", "a.onnx", "b.onnx"),
    ("check", "none.onnx"),
    ("check", "text.onnx"),
    ("check", "text.onnx", "-o"),
    ("compare", "none.bin", "none.bin"),
    ("compare", "text.onnx", "text.onnx"),
    ("compare", "--max-mse", "x=y", "a", "b"),
    ("nonsense",),
]


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_each_error_of_the_command_line_can_be_pasted_back(
    arguments: tuple[str, ...], capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.onnx").write_text("not a model\n")
    failed = run_command(capfd, *arguments)
    assert failed.code == 2
    monkeypatch.setattr(sys, "stdin", Stdin(failed.stderr.encode()))
    explained = run_command(capfd, "explain")
    assert explained.code == 0, failed.stderr


def test_as_a_process_in_a_pipe(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ipudebug", "explain"],
        input=(MESSAGE + "\n") * 3,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"line 1: {MESSAGE}  (3 times)\n{TOPK}", "")
