from __future__ import annotations

import hashlib
import json
import platform
import random
import string

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipudebug.errors import InputError, OutputError
from ipudebug.manifest import FileMark, Manifest, find_conflicts, mark_ahead, mark_file, read_manifest, write_manifest
from tests.dump_files import record, write_dump_file


@pytest.fixture
def dump(tmp_path, monkeypatch):
    """A dump with its manifest, in the working directory."""
    monkeypatch.chdir(tmp_path)
    path = write_dump_file(tmp_path / "a.bin", record("x", [1, 2]))
    for name in ("cat.jpg", "model.onnx", "left.py", "right.py"):
        (tmp_path / name).write_bytes(name.encode())
    facts = {"model": "model.onnx", "preprocess": "left.py, right.py", "input_config": None, "optimize": False}
    write_manifest(str(path), "ipudebug 9", {"numpy": "2"}, ["cat.jpg", "gone.jpg"], facts)
    return str(path)


def mark(text, path):
    return FileMark(path, len(text), hashlib.sha256(text.encode()).hexdigest())


def test_what_was_written_is_read(dump):
    manifest, note = read_manifest(dump)
    assert note == ""
    assert manifest == Manifest(
        "ipudebug 9",
        {"numpy": "2"},
        (mark("cat.jpg", "cat.jpg"), FileMark("gone.jpg", None, None)),
        {
            "model": (mark("model.onnx", "model.onnx"),),
            "preprocess": (mark("left.py", "left.py"), mark("right.py", "right.py")),
        },
        {"optimize": False},
    )


def test_the_hash_is_that_of_the_whole_file(tmp_path):
    path = tmp_path / "large"
    data = random.Random(1).randbytes((1 << 21) + 12345)
    path.write_bytes(data)
    assert mark_file(str(path)) == FileMark(str(path), len(data), hashlib.sha256(data).hexdigest())
    (tmp_path / "empty").write_bytes(b"")
    assert mark_file(str(tmp_path / "empty")).sha256 == hashlib.sha256().hexdigest()


def test_no_manifest_is_no_fault(tmp_path):
    assert read_manifest(str(tmp_path / "b.bin")) == (None, "")


def test_a_file_of_the_users_that_has_the_name_is_no_manifest(dump):
    for text in ('{"version": 1, "tool": "ipudebug 9", "layers": []}', "[1, 2]", "null"):
        with open(f"{dump}.json", "w") as file:
            file.write(text)
        assert read_manifest(dump) == (None, "")


def test_a_manifest_whose_dump_was_replaced_is_ignored_aloud(dump, tmp_path):
    write_dump_file(tmp_path / "a.bin", record("x", [1, 3]))
    assert read_manifest(dump) == (None, f"{dump}.json: the manifest belongs to another dump of this name: ignored")


@pytest.mark.parametrize(
    "damage",
    [
        lambda fields: fields.pop("inputs"),
        lambda fields: fields.pop("dump"),
        lambda fields: fields.update(inputs=[{"path": 3, "bytes": 1, "sha256": None}]),
        lambda fields: fields.update(inputs=[{"path": "x", "bytes": "1", "sha256": None}]),
        lambda fields: fields.update(inputs=7),
        lambda fields: fields.update(files=[]),
        lambda fields: fields.update(files={"model": "model.onnx"}),
        lambda fields: fields.update(versions={"numpy": 2}),
        lambda fields: fields.update(settings=None),
        lambda fields: fields.update(tool=None),
    ],
)
def test_a_damaged_manifest_is_ignored_aloud(dump, damage):
    with open(f"{dump}.json") as file:
        fields = json.load(file)
    damage(fields)
    with open(f"{dump}.json", "w") as file:
        json.dump(fields, file)
    assert read_manifest(dump) == (None, f"{dump}.json: the manifest is damaged: ignored")


def test_a_later_version_is_ignored_aloud(dump):
    with open(f"{dump}.json") as file:
        text = file.read().replace('"version": 1', '"version": 2')
    with open(f"{dump}.json", "w") as file:
        file.write(text)
    manifest, note = read_manifest(dump)
    assert manifest is None
    assert note.endswith("a manifest of version 2, this ipudebug knows 1: ignored")


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=80), st.integers(0, 400))
def test_whatever_is_in_it_nothing_is_raised(dump, data, place):
    with open(f"{dump}.json", "rb") as file:
        good = file.read()
    with open(f"{dump}.json", "wb") as file:
        file.write(good[:place] + data + good[place + len(data) :])
    read_manifest(dump)
    with open(f"{dump}.json", "wb") as file:
        file.write(good)


def make(inputs=("a",), preprocess=("p",)):
    return Manifest(
        "t", {}, tuple(mark(text, f"{text}.jpg") for text in inputs),
        {"preprocess": tuple(mark(text, f"{text}.py") for text in preprocess)} if preprocess else {}, {},
    )  # fmt: skip


def test_what_makes_two_dumps_incomparable():
    assert find_conflicts(make(), make()) == []
    (other,) = find_conflicts(make(["a"]), make(["b"]))
    assert other.startswith("the two dumps were made from DIFFERENT INPUTS: sample a.jpg (sha256 ca978112ca1b);")
    (other,) = find_conflicts(make(), make(preprocess=["q"]))
    assert other.startswith("the two dumps were made with different preprocess files: sample p.py")
    assert len(find_conflicts(make(["a", "b"]), make(["b", "a"]))) == 1
    assert find_conflicts(make(preprocess=None), make()) == []


def test_the_same_image_elsewhere_is_the_same_input():
    elsewhere = Manifest("t", {}, (FileMark("/other/z.jpg", 1, make().inputs[0].sha256),), {}, {})
    assert find_conflicts(make(preprocess=None), elsewhere) == []


def test_nothing_half_is_left_where_it_cannot_be_written(tmp_path):
    dump = write_dump_file(tmp_path / "a.bin", record("x", [1]))
    (tmp_path / "a.bin.json").mkdir()
    with pytest.raises(OutputError, match="Is a directory"):
        write_manifest(str(dump), "t", {}, [], {})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.bin", "a.bin.json"]


def test_dump_onnx_writes_one(tmp_path, monkeypatch, capfd):
    import onnx
    from onnx import TensorProto, helper

    from tests.command import run_command

    monkeypatch.chdir(tmp_path)
    shape = [1, 3, 2, 2]
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])], "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.save(model, "m.onnx")
    (tmp_path / "p.py").write_text(
        "import numpy as np\ndef image_preprocess(path, norm=True):\n    return np.ones((1, 2, 2, 3), np.float32)\n"
    )
    (tmp_path / "i.jpg").write_bytes(string.ascii_letters.encode())
    arguments = ["dump-onnx", "--model_file", "m.onnx", "-i", "i.jpg", "-n", "p.py", "--dump_bin", "True", "-o", "out"]
    assert run_command(capfd, *arguments).code == 0
    manifest, note = read_manifest("out/onnx_NHWC_outtensor_dump.bin")
    assert manifest is not None
    assert note == ""
    assert manifest.inputs == (mark(string.ascii_letters, "i.jpg"),)
    assert [marks[0].path for marks in manifest.files.values()] == ["m.onnx", "p.py"]
    assert manifest.settings == {"graph_optimization": "off"}
    assert manifest.versions["python"] == platform.python_version()
    assert manifest.versions["numpy"] == np.__version__
    assert "onnxruntime" in manifest.versions


def test_marks_made_ahead_are_those_of_the_files_then(tmp_path):
    model, script = tmp_path / "net.sim", tmp_path / "pre.py"
    model.write_bytes(b"weights")
    script.write_bytes(b"code")
    facts = {"model": str(model), "preprocess": f"{script}, {tmp_path / 'gone.py'}", "dequantFixed": True}
    mark = mark_ahead(facts)
    before = mark(str(model))
    assert before == FileMark(str(model), 7, hashlib.sha256(b"weights").hexdigest())
    model.write_bytes(b"others")
    assert mark(str(model)) == before
    assert mark(str(tmp_path / "gone.py")) == FileMark(str(tmp_path / "gone.py"), None, None)
    other = tmp_path / "cat.jpg"
    other.write_bytes(b"cat")
    assert mark(str(other)) == mark_file(str(other))
    dump = tmp_path / "dump.bin"
    dump.write_bytes(b"isFloat: 1\n")
    write_manifest(str(dump), "t", {}, [str(other)], facts, mark)
    assert read_manifest(str(dump))[0].files["model"] == (before,)


def test_a_file_that_cannot_be_hashed_ahead_is_told_by_who_asks(tmp_path, monkeypatch):
    model = tmp_path / "net.sim"
    model.write_bytes(b"weights")

    def refuse(path):
        raise InputError(f"cannot read {path}", "copy it")

    monkeypatch.setattr("ipudebug.manifest.mark_file", refuse)
    mark = mark_ahead({"model": str(model)})
    with pytest.raises(InputError, match="cannot read"):
        mark(str(model))
