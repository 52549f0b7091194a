"""The house as a test: who may import whom, what is imported when, and what every family's parts have in common."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import ipudebug

PACKAGE = Path(ipudebug.__file__).parent
LEVELS = {
    "errors": 0,
    "config": 1,
    "files": 1,
    "filenames": 1,
    "processes": 1,
    "registry": 1,
    "signatures": 1,
    "tensor": 1,
    "sim.kernels": 1,
    "inputs": 2,
    "runners": 2,
    "dumps": 2,
    "metrics": 2,
    "align": 2,
    "manifest": 2,
    "match": 4,
    "catalogue": 2,
    "sim": 3,
    "measure": 3,
    "views": 3,
    "comparison": 4,
    "thresholds": 4,
    "board": 4,
    "diagnosis": 4,
    "reports": 5,
    "details": 5,
    "baseline": 5,
    "bundle": 5,
    "results": 5,
    "demo": 5,
    "cli": 6,
}
HEAVY = {"onnx", "onnxruntime", "cv2", "PIL", "tabulate", "ai_edge_litert"}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "demo" / "preprocess.py")  # a user's file


def room_of(path: Path) -> str:
    return room_named(list(path.relative_to(PACKAGE).with_suffix("").parts))


def room_named(parts: list[str]) -> str:
    """Return the room of a module, given the parts of its name behind ``ipudebug``."""
    return "sim.kernels" if parts[:2] == ["sim", "kernels"] else parts[0]


def imports_of(path: Path) -> list[tuple[str, ast.stmt, bool]]:
    """Return (dotted name, statement, whether it stands at module level) of every import in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = set()
    for statement in tree.body:
        top.add(statement)
        if isinstance(statement, ast.If) and "TYPE_CHECKING" not in ast.dump(statement.test):
            top.update(statement.body)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node, node in top) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            found += [(name, node, node in top) for name in names]
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_arrow_runs_up(path: Path) -> None:
    room = room_of(path)
    if room in ("__init__", "__main__"):
        return
    assert room in LEVELS, f"{room}: a new room needs a level"
    for name, node, _ in imports_of(path):
        parts = name.split(".")
        if parts[0] != "ipudebug" or len(parts) < 2 or parts[1] not in LEVELS:
            continue
        other = room_named(parts[1:])
        if other == room:
            continue
        assert LEVELS[other] <= LEVELS[room], f"line {node.lineno}: {room} imports {other}, which lies above it"
        if LEVELS[room] == 2:
            assert LEVELS[other] < 2, f"line {node.lineno}: siblings never import each other: {room}, {other}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_modules_are_imported_inside_functions_and_click_in_the_cli_only(path: Path) -> None:
    for name, node, at_top in imports_of(path):
        root = name.split(".")[0]
        if at_top:
            assert root not in HEAVY, f"line {node.lineno}: {root} at module level"
            assert not (room_of(path) == "cli" and root == "numpy"), f"line {node.lineno}: numpy in the cli"
        assert root != "click" or room_of(path) == "cli", f"line {node.lineno}: click outside the cli"
        assert root != "pickle", f"line {node.lineno}: pickle"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_has_at_most_300_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


def test_environment_clock_and_working_directory_belong_to_the_cli() -> None:
    forbidden = {("os", "environ"), ("os", "getenv"), ("os", "getcwd"), ("time", "time"), ("datetime", "now")}
    for path in MODULES:
        if room_of(path) == "cli":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert (node.value.id, node.attr) not in forbidden, f"{path.name}:{node.lineno}"


def test_no_command_contains_except() -> None:
    for path in (PACKAGE / "cli" / "commands").glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)], path.name


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (["--help"], {"numpy", "onnx", "onnxruntime", "PIL", "tabulate", "cv2"}),
        (["compare", "--help"], {"numpy", "onnx", "onnxruntime", "PIL", "tabulate", "cv2"}),
        (["compare", "a.bin", "b.bin"], {"onnx", "onnxruntime", "PIL", "tabulate", "cv2", "concurrent.futures"}),
    ],
)
def test_commands_start_without_what_they_do_not_need(arguments: list[str], absent: set[str], tmp_path: Path) -> None:
    record = b"//out 0 s: 0.000000 z: 0 type: float name: x bConstant:0\nop_out[0] CONV_2D = {\n//buffer data size: 4\n"
    for name in ("a.bin", "b.bin"):
        (tmp_path / name).write_bytes(b"isFloat: 1\n" + record + b"\0\0\x80\x3f\n};\n")
    script = (
        f"import sys; from ipudebug.cli.app import run; code = run({arguments!r}); print(*sys.modules); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert not absent & set(done.stdout.splitlines()[-1].split())
