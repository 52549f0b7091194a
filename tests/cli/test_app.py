"""The boundary: what every command line has in common."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

import ipudebug
from ipudebug import __version__
from ipudebug.cli import app
from ipudebug.cli.app import COMMANDS, Command, run
from ipudebug.cli.output import write_output
from ipudebug.errors import IpuDebugError, OutputError
from tests.command import run_command
from tests.dump_files import record, write_dump_file


def test_version(capfd):
    outcome = run_command(capfd, "--version")
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, f"ipudebug {__version__}\n", "")


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_lists_every_command_under_a_heading(capfd, option):
    outcome = run_command(capfd, option)
    assert (outcome.code, outcome.stderr) == (0, "")
    assert outcome.stdout.startswith("Usage: ipudebug [OPTIONS] COMMAND [ARGS]...\n")
    for name in COMMANDS:
        assert f"\n  {name} " in outcome.stdout


@pytest.mark.parametrize("columns", ["", "0", "-7", "wide", "\u00b2", "60", "200"])
def test_help_is_as_wide_as_the_terminal(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    context = app.ipudebug.make_context("ipudebug", [], resilient_parsing=True)
    expected = click.HelpFormatter(width=None, max_width=110)
    assert context.make_formatter().width == expected.width == max(min(shutil.get_terminal_size()[0], 110) - 2, 50)


def test_help_starts_without_what_takes_longer_to_load_than_to_do():
    script = "import sys; from ipudebug.cli.app import run; run(['--help']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"shutil", "bz2", "lzma", "json", "difflib"} & set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_help_with_examples_and_a_section(capfd, name):
    for option in ("-h", "--help"):
        outcome = run_command(capfd, name, option)
        assert (outcome.code, outcome.stderr) == (0, "")
        assert "\nExample" in outcome.stdout
    command = COMMANDS[name]
    assert isinstance(command, Command)
    assert command.section
    assert command.name == name
    assert all(
        example.startswith(f"ipudebug {name}") or f"| ipudebug {name}" in example for example in command.examples
    )
    for parameter in command.params:
        described = (
            not isinstance(parameter, click.Option) or parameter.help or isinstance(parameter.type, click.Choice)
        )
        assert described, parameter.name


@pytest.mark.parametrize("name", list(COMMANDS))
def test_an_unknown_option_is_refused(capfd, name):
    outcome = run_command(capfd, name, "--no-such-option")
    assert (outcome.code, outcome.stdout) == (2, "")
    assert f"Try 'ipudebug {name} --help' for help." in outcome.stderr
    assert "--no-such-option" in outcome.stderr.splitlines()[-1]


def test_an_unknown_command_names_the_near_one(capfd):
    outcome = run_command(capfd, "compre")
    assert (outcome.code, outcome.stdout) == (2, "")
    assert outcome.stderr.startswith("error: unknown command: compre\nhint: did you mean compare")


def test_no_command_shows_the_help(capfd):
    outcome = run_command(capfd)
    assert outcome.code == 2
    assert "Compare:\n  compare " in outcome.stdout + outcome.stderr


@pytest.fixture
def failing(monkeypatch):
    """Make ``ipudebug compare`` raise what a test wants."""

    def install(error: BaseException) -> None:
        @click.command("compare", cls=Command, section="Compare", examples=[])
        def command() -> None:
            raise error

        monkeypatch.setattr(app.Commands, "get_command", lambda *_: command)

    return install


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (IpuDebugError("what and where", "do that"), 2, "error: what and where\nhint: do that\n"),
        (IpuDebugError("what and where"), 2, "error: what and where\n"),
        (IpuDebugError("a\x1b[31m\x9bb\nnext", "c\x07"), 2, "error: a\\x1b[31m\\x9bb\nnext\nhint: c\\x07\n"),
        (KeyboardInterrupt(), 130, "\ninterrupted\n"),
        (click.UsageError("wrong"), 2, "Error: wrong\n"),
    ],
)
def test_an_error_becomes_text_and_an_exit_code(capfd, failing, error, code, told):
    failing(error)
    outcome = run_command(capfd, "compare")
    assert (outcome.code, outcome.stdout, outcome.stderr[-len(told) :]) == (code, "", told)
    assert "Traceback" not in outcome.stderr


@pytest.mark.parametrize("outer", [IpuDebugError("onnxruntime does not load the model"), ImportError("half way")])
@pytest.mark.parametrize(("stop", "code"), [(KeyboardInterrupt(), 130), (app.Terminated(), 143)])
def test_a_stop_is_no_fault_of_what_it_stopped(capfd, failing, outer, stop, code):
    imported = ImportError("initialization failed")
    imported.__cause__ = stop  # as extension modules report it
    outer.__context__ = imported
    failing(outer)
    outcome = run_command(capfd, "compare")
    assert (outcome.code, outcome.stdout, outcome.stderr) == (code, "", "interrupted\n" if code == 130 else "")


IMPATIENT = """
import sys
class Finder:
    def find_spec(self, name, *_):
        if name == "ipudebug.cli.app":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Finder())
from ipudebug.cli import main
main()
"""


def test_a_stop_while_the_program_starts_is_no_traceback_either():
    done = subprocess.run([sys.executable, "-c", IMPATIENT, "--version"], capture_output=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"interrupted\n")


def test_a_short_program_looks_for_cycles_seldom():
    code = "import atexit, gc; atexit.register(lambda: print(gc.isenabled(), gc.get_threshold()[0]))"
    done = subprocess.run([sys.executable, "-c", f"{code}; {MAIN}", "--version"], capture_output=True, timeout=30)
    assert done.stdout.decode().splitlines()[-1] == "True 50000"


def test_a_preprocess_file_does_not_swallow_sigterm(tmp_path):
    (tmp_path / "pre.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n")
    arguments = ["run-onnx", "-i", "a.png", "--model", "a.onnx", "-n", "pre.py"]
    process = start(*arguments, cwd=tmp_path)
    _, stderr = process.communicate(timeout=30)
    assert (process.returncode, stderr) == (143, b"")


@pytest.mark.parametrize(
    "error", [ImportError("a bug"), ValueError("a bug"), OSError(5, "Input/output error"), OSError(28, "full", "a.bin")]
)
def test_a_bug_keeps_its_traceback(failing, error):
    failing(error)
    with pytest.raises(type(error)):
        run(["compare"])


def test_the_exit_code_is_what_the_command_returns(capfd, tmp_path):
    path = str(write_dump_file(tmp_path / "a.bin", record("a", [1, 2])))
    other = str(write_dump_file(tmp_path / "b.bin", record("a", [1, 3])))
    assert run(["compare", path, path]) == 0
    assert run(["compare", path, other, "--min-cos", "1"]) == 1
    assert run(["compare", path, "nowhere"]) == 2


DEMO = Path(ipudebug.__file__).parent / "demo"
MAIN = "from ipudebug.cli import main; main()"


def start(*arguments: str, **options) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", MAIN, *arguments], stderr=subprocess.PIPE, **options)


PREPROCESS = """
import atexit, sys, threading
{}
def image_preprocess(path, norm=True):
    return None
"""


@pytest.mark.parametrize(
    "left",
    [
        "atexit.register(print, 'the end')",
        "threading.Thread(target=lambda: (threading.main_thread().join(), print('the end'))).start()",
        "sys.setprofile(lambda *_: None); atexit.register(print, 'the end')",
    ],
    ids=["at exit", "a thread", "a profiler"],
)
def test_what_a_users_file_leaves_for_the_end_is_done(tmp_path, left):
    """And its output arrives, although the interpreter is not taken apart."""
    (tmp_path / "pre.py").write_text(PREPROCESS.format(left))
    (tmp_path / "a.png").write_bytes(b"")
    arguments = ["run-onnx", "-i", "a.png", "--model", str(DEMO / "model.onnx"), "-n", "pre.py"]
    process = start(*arguments, cwd=tmp_path, stdout=subprocess.PIPE)
    stdout, _ = process.communicate(timeout=30)
    assert (process.returncode, stdout.decode().splitlines()[-1:]) == (2, ["the end"])


def test_a_reader_that_goes_away_is_no_trouble(tmp_path):
    path = write_dump_file(tmp_path / "many.bin", *(record(f"layer{number}", [1.0]) for number in range(6000)))
    process = start("compare", str(path), str(path), stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"   0) layer0       MSE: 0.000000    COS: 1.000000    RMSE: 0.000000\n"
    process.stdout.close()
    _, stderr = process.communicate(timeout=30)
    assert (process.returncode, stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("arguments", [["--help"], ["compare", "a.bin", "a.bin"]])
def test_a_full_disk_behind_stdout_is_told(tmp_path, arguments):
    write_dump_file(tmp_path / "a.bin", record("a", [1.0]))
    with open("/dev/full", "wb") as full:
        process = start(*arguments, stdout=full, cwd=tmp_path)
        _, stderr = process.communicate(timeout=30)
    assert (process.returncode, stderr) == (2, b"error: no space left on the device that stdout goes to\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("arguments", [["compare", "a.bin", "a.bin"], ["compare", "a.bin", "none.bin"], ["--wrong"]])
def test_a_full_disk_behind_stderr_is_trouble_and_no_missed_threshold(tmp_path, arguments):
    write_dump_file(tmp_path / "a.bin", record("a", [1.0]))
    with open("/dev/full", "wb") as full:
        done = subprocess.run([sys.executable, "-c", MAIN, *arguments], stderr=full, cwd=tmp_path, timeout=30)
    assert done.returncode == 2


def test_a_reader_of_stderr_that_goes_away_changes_no_exit_code(tmp_path):
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-c", MAIN, "compare", "a.bin", "b.bin"]
    done = subprocess.run(command, stdout=write, stderr=write, cwd=tmp_path, timeout=30)
    os.close(write)
    assert done.returncode == 2


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_as_good_as_dev_null(tmp_path, closed):
    """A file that is opened while stderr is closed would get its number, and what libraries print."""
    write_dump_file(tmp_path / "a.bin", record("a", [1.0]))
    command = f"exec {shlex.quote(sys.executable)} -c '{MAIN}' compare a.bin a.bin {closed}"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, cwd=tmp_path, timeout=30)
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
    assert bool(done.stdout) == (">&-" not in closed.replace("2>&-", ""))
    done = subprocess.run(["/bin/sh", "-c", f"{command} -o r.txt"], capture_output=True, cwd=tmp_path, timeout=30)
    assert done.returncode == 0
    assert (tmp_path / "r.txt").read_text() == "   0) a    MSE: 0.000000    COS: 1.000000    RMSE: 0.000000\n"


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems refuse names that are no UTF-8")
@pytest.mark.parametrize(
    ("encoding", "told"), [("utf-8", b"M\xff\xc3\xa9"), ("ascii", b"M\\udcff\\xe9"), ("latin-1", b"M\\udcff\xe9")]
)
def test_names_that_stdout_cannot_encode_are_told(encoding, told):
    """A strict stdout is what most desktops have; a file may have come from one with another encoding."""
    print_name = "import sys; from ipudebug.cli import streams; streams.open_streams(); print(sys.argv[1])"
    environment = {**os.environ, "PYTHONIOENCODING": f"{encoding}:strict", "PYTHONUTF8": "1"}
    command = [sys.executable, "-c", print_name, b"M\xff\xc3\xa9"]
    done = subprocess.run(command, capture_output=True, env=environment, timeout=30)
    assert (done.stdout, done.stderr) == (told + b"\n", b"")


def test_output_to_a_file_appears_complete_or_not_at_all(tmp_path):
    target = tmp_path / "report.txt"
    target.write_text("before")

    def broken():
        yield "half"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_output(str(target), broken())
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("report.txt", "before")]
    write_output(str(target), ["a", "b\udcff"])
    assert target.read_bytes() == b"ab\xff"


@pytest.mark.parametrize(
    ("command", "option"),
    [("calibrate", "-o"), ("compile", "-o"), ("export-onnx", "-o"), ("bundle", "-o"), ("convert", "--output_file")],
)
def test_a_binary_file_is_not_called_dash(capfd, tmp_path, monkeypatch, command, option):
    monkeypatch.chdir(tmp_path)
    outcome = run_command(capfd, command, option, "-")
    assert (outcome.code, outcome.stdout) == (2, "")
    assert "does not go to stdout; give it a name" in outcome.stderr
    assert list(tmp_path.iterdir()) == []


def test_output_to_a_link_goes_to_what_it_points_at(tmp_path):
    """A rename over /dev/stdout would have put a file in its place."""
    target, link = tmp_path / "real.txt", tmp_path / "link.txt"
    target.write_text("before")
    link.symlink_to(target)
    write_output(str(link), ["after"])
    assert link.is_symlink()
    assert target.read_text() == "after"


@pytest.mark.parametrize("spelling", ["a.bin", "./a.bin", "../here/a.bin", "link.bin"])
def test_an_input_is_never_overwritten(tmp_path, monkeypatch, spelling):
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    Path("a.bin").write_text("precious")
    Path("link.bin").symlink_to("a.bin")
    with pytest.raises(OutputError, match=r"^-o .* would overwrite an input$"):
        write_output(spelling, ["x"], keep=("b.bin", "a.bin"))
    assert Path("a.bin").read_text() == "precious"
