from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest

from ipudebug.errors import ModelError
from ipudebug.files import OpenFile
from ipudebug.runners import ModelFiles
from ipudebug.runners.model_file import open_model
from ipudebug.runners.onnx import OnnxRunner
from tests.runners.onnx_files import FLOAT, node, save, save_random_net, value, weight


def open_path(path: Path | str) -> object:
    return open_model(OpenFile(str(path), "the model", ModelError))


def make_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("data.pkl", "x")
    return buffer.getvalue()


FOREIGN = {
    "empty": (b"", "is empty"),
    "zip": (make_zip(), "a zip archive"),
    "offline": (b"SGSI" + bytes(100), "an offline model"),
    "sim": (b"\x08\0\0\0TFL3" + bytes(20) + b"Sigmastar Float", "a SigmaStar .sim model"),
    "new sim": (b"\x08\0\0\0SIM2" + bytes(20), "a SigmaStar .sim model"),
    "tflite": (b"\x1c\0\0\0TFL3" + bytes(20), "a TFLite model"),
    "ort": (b"\x08\0\0\0ORTM" + bytes(20), ".ort format"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a pointer of Git LFS"),
    "prototxt": (b'name: "net"\nlayer {\n  type: "Input"\n}\n', "a Caffe prototxt"),
    "text": ("Modèle: später\n".encode() * 400, "found text"),
    "jpeg": (b"\xff\xd8\xff\xe0" + bytes(20), "a JPEG image"),
    "pickle": (b"\x80\x04\x95", "a Python pickle"),
    "zeros": (bytes(50), "only zero bytes"),
    "dump": (b"isFloat: 1\n", "a tensor dump"),
    "noise": (bytes(range(255, 0, -1)), "not an ONNX model, or a damaged one"),
    "no graph": (onnx.ModelProto(ir_version=8, producer_name="x").SerializeToString(), "without a graph"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_files_that_are_no_model(tmp_path: Path, name: str) -> None:
    content, words = FOREIGN[name]
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        open_path(path)
    assert words in caught.value.message
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_paths_that_are_no_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.onnx"):
        with pytest.raises(ModelError, match="the model"):
            OnnxRunner(ModelFiles(str(path)))


def test_a_model_cut_at_any_byte(tmp_path: Path) -> None:
    content = Path(save_random_net(tmp_path / "net.onnx", 1)).read_bytes()
    path = tmp_path / "cut.onnx"
    for length in {*range(1, 200), *range(200, len(content), 997), len(content) - 1}:
        path.write_bytes(content[:length])
        try:
            runner = OnnxRunner(ModelFiles(str(path)))
            list(runner.trace({"x": np.zeros((1, 4, 6, 5), np.float32)}))
        except ModelError as error:
            assert str(path) in error.message  # noqa: PT017 - a cut between fields may leave a valid model
        else:
            raise AssertionError(f"cut at {length} of {len(content)} went unnoticed")
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError, match="the ONNX model is cut off"):
        open_path(path)


FAULTS = {
    "no nodes": ([], ["x"], "no nodes"),
    "nothing makes it": ([node("Relu", ["nowhere"], ["y"], "n")], ["y"], "'n' (Relu) reads the value 'nowhere'"),
    "made twice": ([node("Relu", ["x"], ["y"], "a"), node("Neg", ["x"], ["y"], "b")], ["y"], "which node 'a'"),
    "input made": ([node("Relu", ["x"], ["x"], "a")], ["x"], "the graph's inputs or weights makes already"),
    "output unmade": ([node("Relu", ["x"], ["y"])], ["z"], "output 'z' is made by no node"),
    "circle": ([node("Add", ["x", "b"], ["a"], "n"), node("Neg", ["a"], ["b"])], ["b"], "'n' (Add) waits for its own"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_graphs_that_contradict_themselves(tmp_path: Path, name: str) -> None:
    nodes, outputs, words = FAULTS[name]
    path = save(tmp_path / "m.onnx", nodes, [value("x", FLOAT, [1])], outputs, [weight("w", 1)])
    with pytest.raises(ModelError) as caught:
        open_path(path)
    assert words in caught.value.message
    assert caught.value.message.startswith(path)


@pytest.mark.reference
def test_the_vendors_other_models_are_recognised(reference: Path) -> None:
    kinds = {
        ".caffemodel": "caffemodel",
        ".prototxt": "prototxt",
        ".tflite": "TFLite",
        ".jpg": "JPEG",
        ".sim": "SigmaStar",
    }
    seen = set()
    for path in [*reference.glob("models/*"), *reference.glob("*/*.sim")]:
        if path.suffix in kinds:
            seen.add(path.suffix)
            with pytest.raises(ModelError, match=kinds[path.suffix]):
                open_path(path)
    assert seen == kinds.keys()
