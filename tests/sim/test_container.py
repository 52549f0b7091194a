"""A file is what its bytes say it is, whatever it is called."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipudebug.errors import ModelError
from ipudebug.sim.container import Kind, NoModel, NotRecognised, open_sim, read_description, recognise_model
from ipudebug.sim.model import Stage
from ipudebug.sim.parsing import parse_model
from ipudebug.sim.stage import SimFacts, write_facts
from ipudebug.tensor import Layout
from tests.sim.constraints.models import one


def write_flatbuffer(path: Path, description: str, identifier: bytes = b"TFL3") -> Path:
    """Write a FlatBuffer with nothing in it but the description string, in slot 3."""
    vtable = b"".join(number.to_bytes(2, "little") for number in (12, 8, 0, 0, 0, 4))
    table = len(vtable).to_bytes(4, "little") + (4).to_bytes(4, "little")
    text = len(description).to_bytes(4, "little") + description.encode() + b"\0"
    path.write_bytes((8 + len(vtable)).to_bytes(4, "little") + identifier + vtable + table + text)
    return path


@pytest.mark.parametrize(
    ("description", "stage"),
    [
        ("SGS MODEL", None),
        ("Sigmastar Float", Stage.FLOAT),
        ("Sigmastar Cmodel Float", Stage.CMODEL_FLOAT),
        ("Sigmastar Cmodel With IPU CTRL", Stage.FIXED),
        ("Sigmastar Cmodel Convert Image", Stage.OFFLINE),
    ],
)
@pytest.mark.parametrize("identifier", [b"TFL3", b"SIM2"])
def test_the_description_tells_the_stage_of_the_vendors_files(
    description: str, stage: Stage | None, identifier: bytes, tmp_path: Path
) -> None:
    found = recognise_model(str(write_flatbuffer(tmp_path / "x.onnx", description, identifier)))
    assert (found.kind, found.stage, found.description) == (Kind.VENDOR, stage, description)
    assert found.what.endswith(f"({description})")


def test_other_flatbuffers(tmp_path: Path) -> None:
    tflite = recognise_model(str(write_flatbuffer(tmp_path / "a", "MLIR Converted.")))
    assert (tflite.kind, tflite.stage, tflite.what) == (Kind.TFLITE, None, "a TFLite model")
    sim = recognise_model(str(write_flatbuffer(tmp_path / "b", "new", b"SIM2")))
    assert (sim.kind, sim.stage) == (Kind.VENDOR, None)


@given(st.binary(max_size=80))
def test_a_damaged_flatbuffer_has_no_description(content: bytes) -> None:
    data = content[:4] + b"TFL3" + content[4:]
    assert isinstance(read_description(data), str)


@pytest.mark.parametrize("stage", [Stage.FLOAT, Stage.FIXED])
def test_ours_say_what_they_are(stage: Stage, tmp_path: Path) -> None:
    model = one("Relu")
    facts = SimFacts(stage, "mochi", "[INPUT_CONFIG]\ninputs = x;\n", Layout.NHWC)
    write_facts(model, facts)
    onnx.save(model, tmp_path / "x")
    found = open_sim(str(tmp_path / "x"), stage)
    assert (found.kind, found.stage, found.facts) == (Kind.IPUDEBUG, stage, facts)
    assert found.what == f"a {stage.value} model of ipudebug's"
    assert parse_model(found.path) == model


def test_a_model_at_another_stage_is_refused(tmp_path: Path) -> None:
    path = str(write_flatbuffer(tmp_path / "x.sim", "Sigmastar Float"))
    with pytest.raises(NotRecognised) as caught:
        open_sim(path, Stage.FIXED, Stage.OFFLINE)
    assert isinstance(caught.value, ValueError)
    assert str(caught.value) == (
        f"Not recognized model. {path}: expected a fixed or offline model, "
        "found a float model of the vendor's (Sigmastar Float)"
    )


@pytest.mark.parametrize(
    ("content", "kind", "what"),
    [
        (b"", Kind.OTHER, "an empty file"),
        (b"\0" * 100, Kind.OTHER, "only zero bytes"),
        (b"PK\x03\x04xx", Kind.OTHER, "a zip archive (.npz files and PyTorch checkpoints are, too)"),
        (b"\xff\xd8\xff\xe0", Kind.OTHER, "a JPEG image"),
        (b"\x93" * 99, Kind.OTHER, "a file of no known format"),
        (b'layer {\n  name: "a"\n}\n', Kind.CAFFE, "a Caffe prototxt"),
    ],
)
def test_anything_else_is_named(content: bytes, kind: Kind, what: str, tmp_path: Path) -> None:
    path = tmp_path / "model.sim"
    path.write_bytes(content)
    found = recognise_model(str(path))
    assert (found.kind, found.stage, found.what) == (kind, None, what)
    with pytest.raises(NotRecognised, match=r"^Not recognized model\. .*, found " + what.split(" ")[0]):
        open_sim(str(path))


def test_an_original_model_gets_the_hint_to_convert_it(tmp_path: Path) -> None:
    onnx.save(one("Relu"), tmp_path / "x.sim")
    with pytest.raises(NotRecognised, match="found an ONNX model") as caught:
        open_sim(str(tmp_path / "x.sim"))
    assert caught.value.hint == "make a float model from it first: ipudebug convert"


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(NoModel, match="No such model: ") as caught:
        open_sim(str(tmp_path / "x.sim"))
    assert isinstance(caught.value, FileNotFoundError)
    with pytest.raises(ModelError, match="is a directory"):
        recognise_model(str(tmp_path))


@pytest.mark.reference
@pytest.mark.parametrize(
    ("name", "kind", "stage"),
    [
        ("smallnet/float.sim", Kind.VENDOR, Stage.FLOAT),
        ("smallnet/cmodel_float.sim", Kind.VENDOR, Stage.CMODEL_FLOAT),
        ("smallnet/fixed.sim", Kind.VENDOR, Stage.FIXED),
        ("smallnet/fixed_nofuse.sim", Kind.VENDOR, Stage.FIXED),
        ("smallnet/offline.sim", Kind.VENDOR, Stage.OFFLINE),
        ("smallnet/smallnet.onnx", Kind.ONNX, None),
        ("models/RFB-320.prototxt", Kind.CAFFE, None),
        ("models/RFB-320.caffemodel", Kind.CAFFE, None),
        ("models/pretrainedResnet_quant.tflite", Kind.TFLITE, None),
        ("models/daisy.jpg", Kind.OTHER, None),
    ],
)
def test_real_files(name: str, kind: Kind, stage: Stage | None, reference: Path) -> None:
    found = recognise_model(str(reference / name))
    assert (found.kind, found.stage) == (kind, stage)
