"""The wrapper with the vendor's interface."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ipudebug import Tensor, TensorInfo, write_dump

SCRIPT = Path(__file__).parents[1] / "examples" / "auto_dump_debug.sh"


@pytest.fixture
def dumps(tmp_path: Path) -> Path:
    for name, values in (("fixed.bin", [1, 2, 3, 4.5]), ("float.bin", [1, 2, 3, 4])):
        info = TensorInfo("conv1", (1, 4), np.dtype("<f4"), op_type="CONV_2D")
        write_dump(tmp_path / name, [Tensor(info, np.array([values], "<f4"))], "simulator")
    return tmp_path


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    program = folder / "ipudebug"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ipudebug "$@"\n')
    program.chmod(0o755)
    settings = {**os.environ, "IPUDEBUG": str(program), "COVERAGE_PROCESS_START": "", **environment}
    return subprocess.run([SCRIPT, *arguments], cwd=folder, capture_output=True, text=True, env=settings, check=False)


def test_the_rows_and_the_folder_of_the_vendor(dumps: Path) -> None:
    done = run(dumps, "SGS_IPU_Toolchain", "fixed.bin", "float.bin")
    assert done.stdout == "   0) conv1    MSE: 0.062500    COS: 0.998295    RMSE: 0.050000\n"
    assert done.returncode == 0
    assert done.stderr == (
        "note: ipudebug compares without a toolchain; SGS_IPU_Toolchain is not used\n"
        "compared 1 of the sample's 1 tensor\n"
        "no layer is suspicious (COS < 0.99 or RMSE > 0.1)\n"
        "DumpDebug done!!!\n"
    )
    folder = dumps / "Undefined_float.bin_DumpDebug_out" / "0"
    assert (folder / "sample.txt").read_text() == "conv1\n1.000000  2.000000  3.000000  4.500000  \n"
    assert (folder / "benchmark.txt").read_text() == "conv1\n1.000000  2.000000  3.000000  4.000000  \n"


def test_save_one_row_and_an_existing_folder_is_kept(dumps: Path) -> None:
    run(dumps, "tc", "fixed.bin", "float.bin")
    done = run(dumps, "tc", "fixed.bin", "float.bin", SAVE_ONE_ROW="1")
    assert (dumps / "Undefined_float.bin_DumpDebug_out" / "0" / "sample.txt").read_text() == (
        "conv1\n1.000000  \n2.000000  \n3.000000  \n4.500000  \n"
    )
    kept = list(dumps.glob("Undefined_float.bin_DumpDebug_out_backup_at_*"))
    assert len(kept) == 1
    assert kept[0].name in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("tc", "fixed.bin"), "usage: "),
        (("tc", "none.bin", "float.bin"), "FATAL: float sim or sample dump bin file not exist!!!\n"),
        (("tc", "fixed.bin", "float"), "FATAL: fixed sim or benchmark dump bin file not exist!!!\n"),
    ],
)
def test_wrong_parameters(dumps: Path, arguments: tuple[str, ...], message: str) -> None:
    (dumps / "float").write_bytes(b"")
    done = run(dumps, *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(message)


def test_a_dump_may_be_named_as_an_option(dumps: Path) -> None:
    (dumps / "fixed.bin").rename(dumps / "--format.bin")
    (dumps / "float.bin").rename(dumps / "-o.bin")
    done = run(dumps, "tc", "--format.bin", "-o.bin")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "   0) conv1    MSE: 0.062500    COS: 0.998295    RMSE: 0.050000\n"
    assert (dumps / "Undefined_-o.bin_DumpDebug_out" / "0" / "sample.txt").is_file()


def test_a_program_that_is_not_there_is_told(dumps: Path) -> None:
    settings = {**os.environ, "IPUDEBUG": "no-such-ipudebug"}
    command = [SCRIPT, "tc", "fixed.bin", "float.bin"]
    done = subprocess.run(command, cwd=dumps, capture_output=True, text=True, env=settings, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("FATAL: no such program: no-such-ipudebug\n")
