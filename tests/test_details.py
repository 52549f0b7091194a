from __future__ import annotations

import os

import numpy as np
import pytest

from ipudebug.comparison import LayerResult
from ipudebug.details import DetailFolder
from ipudebug.errors import OutputError
from tests.metrics.pairs import tensor

STAMP = "2026-01-02_03-04-05"


def row(index, name, sample, benchmark=None):
    a, b = (tensor(side) for side in (sample, sample if benchmark is None else benchmark))
    info = type(a.info)(name, a.info.shape, a.info.dtype)
    return LayerResult(index, name, type(a)(info, a.array), b, {}, "")


def write(path, rows, **options):
    with DetailFolder(str(path), STAMP, **options) as folder:
        assert list(folder.watch(rows)) == rows
    return folder


def test_each_row_has_a_numbered_folder_with_sixteen_values_a_line(tmp_path):
    write(tmp_path / "out", [row(0, "a", np.arange(18), np.zeros(18)), row(1, "b", [1.5])])
    line = "".join(f"{value}.000000  " for value in range(16))
    assert (tmp_path / "out" / "0" / "sample.txt").read_text() == f"a\n{line}\n16.000000  17.000000  \n"
    zeros = "0.000000  " * 16
    assert (tmp_path / "out" / "0" / "benchmark.txt").read_text() == f"x\n{zeros}\n0.000000  0.000000  \n"
    assert (tmp_path / "out" / "1" / "sample.txt").read_text() == "b\n1.500000  \n"
    assert sorted(os.listdir(tmp_path / "out")) == ["0", "1"]


def test_one_value_a_line(tmp_path):
    write(tmp_path / "out", [row(0, "a", [1, -2, np.nan, np.inf])], one_per_line=True)
    assert (tmp_path / "out/0/sample.txt").read_text() == "a\n1.000000  \n-2.000000  \nnan  \ninf  \n"


@pytest.mark.parametrize("size", [16, 16_384, 40_000])
def test_every_value_is_there_whatever_the_size(tmp_path, size):
    values = np.random.default_rng(0).normal(size=size).astype("f4")
    write(tmp_path / "out", [row(0, "a", values)])
    lines = (tmp_path / "out/0/sample.txt").read_text().splitlines()
    assert {len(line.split()) for line in lines[1:-1]} <= {16}
    assert " ".join(lines[1:]).split() == [f"{value:.6f}" for value in values]


def test_a_pair_that_could_not_be_compared_has_no_folder(tmp_path):
    write(tmp_path / "out", [row(-1, "a", [1.0]), row(0, "b", [1.0])])
    assert os.listdir(tmp_path / "out") == ["0"]


def test_an_odd_name_stays_on_its_line(tmp_path):
    write(tmp_path / "out", [row(0, "a\x1b[31m\r/..\udcff", [1.0])])
    assert (tmp_path / "out/0/sample.txt").read_bytes() == b"a\\x1b[31m\\r/..\xff\n1.000000  \n"


def test_what_was_there_is_kept_under_a_dated_name(tmp_path):
    kept = [write(tmp_path / "out/", [row(0, name, [1.0])]).kept for name in "abc"]
    backup = str(tmp_path / f"out_backup_at_{STAMP}")
    assert kept == [None, backup, f"{backup}_2"]
    names = {path.name: (path / "0/sample.txt").read_text()[0] for path in tmp_path.iterdir()}
    assert names == {"out": "c", os.path.basename(backup): "a", os.path.basename(backup) + "_2": "b"}


def test_a_file_of_that_name_is_kept_too(tmp_path):
    (tmp_path / "out").write_text("mine")
    folder = write(tmp_path / "out", [])
    assert (tmp_path / folder.kept).read_text() == "mine"
    assert os.listdir(tmp_path / "out") == []


def test_nothing_of_it_stays_after_an_error_and_what_was_there_is_untouched(tmp_path):
    write(tmp_path / "out", [row(0, "old", [1.0])])

    def interrupted():
        yield row(0, "new", [2.0])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "out", interrupted())
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out/0/sample.txt").read_text().startswith("old")


@pytest.mark.parametrize("name", [".", "..", "", "/", "x/.."])
def test_a_folder_that_cannot_be_replaced_is_refused(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError, match="cannot write the details to") as caught, DetailFolder(name, STAMP):
        pytest.fail("it was entered")
    assert caught.value.hint == "name a folder of its own"


def test_a_folder_that_holds_what_must_stay_is_not_moved(tmp_path):
    (tmp_path / "dumps").mkdir()
    (tmp_path / "dumps/a.bin").write_text("precious")
    (tmp_path / "link").symlink_to("dumps")
    for folder, file in (("dumps", "dumps/a.bin"), ("dumps/a.bin", "dumps/a.bin"), ("dumps", "link/a.bin")):
        with (
            pytest.raises(OutputError, match=r"would be moved, and .*a\.bin with it"),
            DetailFolder(str(tmp_path / folder), STAMP, keep=(str(tmp_path / "else.bin"), str(tmp_path / file))),
        ):
            pytest.fail("it was entered")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dumps", "link"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(OutputError, match=r"cannot make the folder .*file/out: Not a directory"),
        DetailFolder(str(tmp_path / "file/out"), STAMP),
    ):
        pytest.fail("it was entered")


def test_a_disk_that_fills_up_is_told(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(DetailFolder, "_write_values", full)
    with pytest.raises(OutputError, match="cannot write the details of a: No space left on device"):
        write(tmp_path / "out", [row(0, "a", [1.0])])
    assert os.listdir(tmp_path) == []
