from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest

from ipudebug.bundle import find_operands, write_bundle
from ipudebug.comparison import compare
from ipudebug.errors import AlignmentError, ConfigError
from ipudebug.manifest import write_manifest
from ipudebug.reports.severity import find_suspect
from tests.dump_files import record, write_dump_file

CONV = [
    record("relu1", [1, 2, 3, 5], (1, 2, 2, 1), op="CONV_2D", index=1, role="in"),
    record("conv_w", [7], (1,), op="CONV_2D", index=1, role="in", constant=True),
    record("conv", [9, 2, 3, 4], (1, 2, 2, 1), op="CONV_2D", index=1),
]


def make(folder, benchmark_has_inputs=False):
    """Compare a simulator's dump, which has inputs, with a framework's, which has outputs only."""
    sample = write_dump_file(folder / "a.bin", record("relu1", [1, 2, 3, 5], (1, 2, 2, 1)), *CONV, record("end", [1]))
    records = [record("relu1", [1, 2, 3, 4], (1, 2, 2, 1)), record("conv", [1, 2, 3, 4], (1, 2, 2, 1), index=1)]
    if benchmark_has_inputs:
        records.insert(1, record("relu1", [1, 2, 3, 4], (1, 2, 2, 1), index=1, role="in"))
    benchmark = write_dump_file(folder / "b.bin", *records, record("end", [1], index=2))
    return compare(sample=sample, benchmark=benchmark)


def pack(folder, comparison, **options):
    rows = list(comparison)
    suspect = find_suspect(rows, options.pop("layer", "conv"))
    names = write_bundle(str(folder / "x.zip"), comparison, rows, suspect, environment={"a": 1}, **options)
    archive = zipfile.ZipFile(folder / "x.zip")
    assert archive.testzip() is None
    assert archive.namelist() == names
    assert len(set(names)) == len(names)
    return archive


def load(archive, name):
    return np.load(io.BytesIO(archive.read(name)), allow_pickle=False)


def test_what_is_in_it(tmp_path):
    archive = pack(tmp_path, make(tmp_path))
    assert archive.namelist() == [
        "report.html", "report.json", "rows.txt", "suspect/sample/in_relu1.npy", "suspect/sample/out_conv.npy",
        "suspect/benchmark/in_relu1.npy", "suspect/benchmark/out_conv.npy", "suspect/tensors.json",
        "quantisation.json", "environment.json", "README.txt",
    ]  # fmt: skip
    np.testing.assert_array_equal(load(archive, "suspect/sample/in_relu1.npy").reshape(-1), [1, 2, 3, 5])
    np.testing.assert_array_equal(load(archive, "suspect/sample/out_conv.npy").reshape(-1), [9, 2, 3, 4])
    borrowed = load(archive, "suspect/benchmark/in_relu1.npy")
    assert (borrowed.shape, borrowed.dtype) == ((1, 2, 2, 1), np.float32)
    np.testing.assert_array_equal(borrowed.reshape(-1), [1, 2, 3, 4])
    assert archive.read("rows.txt").decode().splitlines()[1].startswith("   1) conv     MSE: 16.000000")
    assert [layer["name"] for layer in json.loads(archive.read("report.json"))["layers"]] == ["relu1", "conv", "end"]
    assert json.loads(archive.read("environment.json")) == {"a": 1}
    readme = archive.read("README.txt").decode()
    assert "suspect operator:    CONV_2D that makes conv" in readme
    assert "weights:             left out" in readme
    assert "sample: the dump has no manifest" in readme


def test_weights_only_where_they_were_asked_for(tmp_path):
    archive = pack(tmp_path, make(tmp_path), with_weights=True)
    np.testing.assert_array_equal(load(archive, "suspect/sample/constant_conv_w.npy"), [7])
    entries = json.loads(archive.read("suspect/tensors.json"))
    assert [entry["role"] for entry in entries] == ["in", "constant", "out", "in", "out"]
    assert entries[1] == {
        "file": "suspect/sample/constant_conv_w.npy", "side": "sample", "role": "constant", "name": "conv_w",
        "shape": [1], "dtype": "float32", "op_type": "CONV_2D", "op_index": 1, "port": 0,
    }  # fmt: skip


def test_a_side_with_inputs_of_its_own_keeps_them(tmp_path):
    comparison = make(tmp_path, benchmark_has_inputs=True)
    suspect = find_suspect(list(comparison), "conv")
    assert suspect is not None
    found = [(item.side, item.role, item.record) for item in find_operands(comparison, suspect, with_weights=False)]
    assert found == [("sample", "in", 1), ("sample", "out", 3), ("benchmark", "in", 1), ("benchmark", "out", 2)]


def test_quantisation_is_that_of_the_headers(tmp_path):
    conv = CONV[2].replace(b"s: 0.000000 z: 0 type: float", b"s: 0.031250 z: 12 type: SGS_U8")
    write_dump_file(tmp_path / "a.bin", conv, conv.replace(b"0.031250", b"0.5"))
    benchmark = write_dump_file(tmp_path / "b.bin", CONV[2])
    archive = pack(tmp_path, compare(sample=tmp_path / "a.bin", benchmark=benchmark))
    assert json.loads(archive.read("quantisation.json")) == {
        "sample": [{"name": "conv", "type": "SGS_U8", "scale": "0.031250", "zero_point": "12", "constant": False}],
        "benchmark": [],
    }


def test_manifests_scripts_and_configs_come_along(tmp_path):
    comparison = make(tmp_path)
    for name in ("p.py", "i.ini", "model.onnx", "debug.txt"):
        (tmp_path / name).write_text(name)
    facts = {"model": tmp_path / "model.onnx", "preprocess": tmp_path / "p.py", "input_config": tmp_path / "i.ini"}
    write_manifest(str(tmp_path / "a.bin"), "t", {}, [], facts)
    (tmp_path / "i.ini").write_text("changed")
    archive = pack(tmp_path, comparison, configs=[str(tmp_path / "debug.txt"), str(tmp_path / "p.py")])
    extra = [name for name in archive.namelist() if name.startswith(("config/", "manifests/"))]
    assert extra == ["config/debug.txt", "config/p.py", "manifests/sample.json"]
    assert archive.read("manifests/sample.json") == (tmp_path / "a.bin.json").read_bytes()
    assert f"input_config {tmp_path}/i.ini is not what the dump was made with" in archive.read("README.txt").decode()


def test_files_of_one_name_are_kept_apart(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "p.py").write_text(folder)
    archive = pack(tmp_path, make(tmp_path), configs=[str(tmp_path / folder / "p.py") for folder in ("one", "two")])
    assert [archive.read(f"config/{name}") for name in ("p.py", "p_2.py")] == [b"one", b"two"]


def test_equal_dumps_have_no_suspect(tmp_path):
    comparison = compare(sample=make(tmp_path).sample, benchmark=tmp_path / "a.bin")
    archive = pack(tmp_path, comparison, layer=None)
    assert not [name for name in archive.namelist() if name.endswith(".npy")]
    assert "no suspect" in archive.read("README.txt").decode()


def test_names_cannot_leave_the_archive_or_collide(tmp_path):
    names = ["../../etc/passwd", "a:b", "a/b", "<x>", "\x1b[31m", "."]
    sample = write_dump_file(tmp_path / "a.bin", *(record(name, [1, 2], index=0) for name in names))
    benchmark = write_dump_file(tmp_path / "b.bin", *(record(name, [1, 3], index=0) for name in names))
    archive = pack(tmp_path, compare(sample=sample, benchmark=benchmark), layer="a/b")
    tensors = [name for name in archive.namelist() if name.endswith(".npy")]
    assert len(tensors) == 2 * len(names)
    assert all(name.count("/") == 2 and ".." not in name.split("/") for name in tensors)


def test_the_same_contents_make_the_same_bytes(tmp_path):
    comparison = make(tmp_path)
    pack(tmp_path, comparison)
    first = (tmp_path / "x.zip").read_bytes()
    pack(tmp_path, comparison)
    assert (tmp_path / "x.zip").read_bytes() == first


def test_a_failure_leaves_nothing(tmp_path):
    comparison = make(tmp_path)
    rows = list(comparison)
    with pytest.raises(ConfigError, match="no such file"):
        write_bundle(str(tmp_path / "x.zip"), comparison, rows, None, configs=["/none"], environment={})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.bin", "b.bin"]


def test_which_layer_is_the_suspect(tmp_path):
    rows = list(make(tmp_path))
    assert find_suspect(rows).name == "conv"
    assert find_suspect(rows, "end").name == "end"
    assert find_suspect(rows[:1]).name == "relu1"  # not suspicious, but the worst
    assert find_suspect(rows[2:]) is None
    with pytest.raises(AlignmentError, match="no layer of that name") as caught:
        find_suspect(rows, "relu")
    assert caught.value.hint == "did you mean relu1?"


@pytest.mark.reference
def test_the_real_dumps(tmp_path, reference):
    dumps = reference / "smallnet" / "dumps"
    comparison = compare(sample=dumps / "fixed_dequant.bin", benchmark=dumps / "float.bin")
    archive = pack(tmp_path, comparison, layer=None)
    told = {entry["name"]: entry for entry in json.loads(archive.read("quantisation.json"))["sample"]}
    assert told["relu1"] == {
        "name": "relu1", "type": "SGS_U8", "scale": "0.010997", "zero_point": "0", "constant": False,
    }  # fmt: skip
    roles = {(entry["side"], entry["role"]) for entry in json.loads(archive.read("suspect/tensors.json"))}
    assert roles == {("sample", "in"), ("sample", "out"), ("benchmark", "in"), ("benchmark", "out")}
