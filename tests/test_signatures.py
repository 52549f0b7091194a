"""What a file that is no dump is called."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ipudebug.signatures import describe, find_signature, recognise
from ipudebug.sim.seal_header import MAGIC


def zip_bytes() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.bin", b"x")
    return file.getvalue()


def npy_bytes() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


def image_bytes(kind: str) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (2, 2)).save(file, kind)
    return file.getvalue()


def onnx_bytes(**fields: object) -> bytes:
    import onnx

    value = onnx.helper.make_tensor_value_info("x", 1, [1])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["y"])], "g", [value], [])
    bytes_: bytes = onnx.helper.make_model(graph, **fields).SerializeToString()
    return bytes_


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: b"", "an empty file"),
        (zip_bytes, "a zip archive (.npz files and PyTorch checkpoints are, too)"),
        (npy_bytes, "a NumPy .npy file"),
        (lambda: gzip.compress(b"x"), "a gzip archive: unpack it first"),
        (lambda: lzma.compress(b"x"), "an xz archive: unpack it first"),
        (lambda: bz2.compress(b"x"), "a bzip2 archive: unpack it first"),
        (lambda: image_bytes("png"), "a PNG image"),
        (lambda: image_bytes("jpeg"), "a JPEG image"),
        (lambda: image_bytes("gif"), "a GIF image"),
        (lambda: image_bytes("bmp"), "a BMP image"),
        (onnx_bytes, "an ONNX model"),
        (lambda: onnx_bytes(producer_name="pytorch", producer_version="2.1"), "an ONNX model"),
        (lambda: onnx_bytes(doc_string="text"), "an ONNX model"),
        (lambda: b"\x1c\0\0\0TFL3" + b"\0" * 9, "a model (.sim or .tflite)"),
        (lambda: b"SGSI\1\0\0\0", "an offline model for a SigmaStar IPU"),
        (lambda: b"hello world\nand so on", "text that begins with 'hello world'"),
        (lambda: b"x" * 99, f"text that begins with '{'x' * 40}'"),
        (lambda: b"\n\n", "bytes that begin with 0a 0a"),
        (lambda: b"\x1b[2J", "bytes that begin with 1b 5b 32 4a"),
        (lambda: bytes(range(128, 255)), "bytes that begin with 80 81 82 83 84 85 86 87"),
        (lambda: b"\x08", "bytes that begin with 08"),
    ],
)
def test_a_file_is_known_by_how_it_begins(make, what: str) -> None:  # type: ignore[no-untyped-def]
    assert describe(make()) == what


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (MAGIC + bytes(40), "an offline model of ipudebug's"),
        (b"\x1c\0\0\0TFL3" + bytes(9000) + b"Sigmastar Float", "a SigmaStar .sim model"),
        (b"\x1c\0\0\0TFL3" + bytes(9000), "a TFLite model"),
        (b"\x80\x04\x95\x05", "a Python pickle"),
    ],
)
def test_signatures_are_certain(data: bytes, what: str) -> None:
    found = find_signature(data)
    assert found is not None
    assert (found.what, bool(found.hint)) == (what, True)
    assert recognise(data) == found


@pytest.mark.parametrize("data", [b"", bytes(50), b"name: 'net'\nlayer {", b"hello", b"\x0a\x03net", onnx_bytes()])
def test_without_a_signature_nothing_is_certain(data: bytes) -> None:
    assert find_signature(data) is None


@pytest.mark.reference
def test_the_vendor_s_models_are_known(reference: Path) -> None:
    kinds = {".onnx": "an ONNX model", ".tflite": "a model (.sim or .tflite)", ".sim": "a model (.sim or .tflite)"}
    found = [path for path in reference.rglob("*") if path.suffix in kinds]
    assert len(found) > 10
    for path in found:
        with path.open("rb") as file:
            what = "an offline model for a SigmaStar IPU" if path.name == "offline.sim" else kinds[path.suffix]
            assert describe(file.read(1 << 16)) == what, path.name
