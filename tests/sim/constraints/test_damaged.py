"""A damaged model is trouble or has findings; it is never a bug."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import onnx
import pytest

from ipudebug.errors import ModelError
from ipudebug.sim.constraints import Finding, check_model, load_subject
from tests.sim.constraints.cases import CASES
from tests.sim.constraints.models import one

BYTES = (*range(9), 0x10, 0x12, 0x7F, 0x80, 0xFF)
"""What means something in a protobuf."""


@pytest.mark.parametrize("key", sorted(CASES.keys() - {"061"}))
def test_models_with_wrong_bytes_in_them(key: str, tmp_path: Path) -> None:
    source = random.Random(key)
    path = tmp_path / "m.onnx"
    whole = CASES[key]()[0].SerializeToString()
    for _ in range(8):
        damaged = bytearray(whole)
        for _ in range(source.randint(1, 3)):
            damaged[source.randrange(len(damaged))] = source.choice(BYTES)
        path.write_bytes(damaged)
        try:
            findings = check_model(load_subject(str(path)))
        except ModelError:
            continue
        assert all(isinstance(finding, Finding) and finding.message for finding in findings)
    path.write_bytes(whole)
    assert check_model(load_subject(str(path)))


def test_attributes_of_another_type_count_as_not_set(tmp_path: Path) -> None:
    wrong = {
        "Conv": {"strides": 1, "kernel_shape": "3", "group": 2.0},
        "AveragePool": {"kernel_shape": [1.0, 2.0], "pads": "x", "dilations": 1},
        "LSTM": {"activations": [1, 2], "activation_alpha": ["a"]},
        "DepthToSpace": {"blocksize": "two"},
        "LayerNormalization": {"axis": [0]},
        "ScatterND": {"reduction": 1},
        "Upsample": {"scales": "x"},
        "Resize": {"axes": 1.0},
    }
    for op, attributes in wrong.items():
        onnx.save(one(op, **attributes), tmp_path / "m.onnx")
        assert all(finding.level == "note" for finding in check_model(load_subject(str(tmp_path / "m.onnx")))), op


def test_names_that_are_no_text(tmp_path: Path) -> None:
    model = one("CumSum", (3,), more={"axis": ()}, reverse=1)
    content = model.SerializeToString().replace(b"\x0a\x01x\x0a\x04axis", b"\x0a\x01\xff\x0a\x04axis")
    assert content != model.SerializeToString()
    (tmp_path / "m.onnx").write_bytes(content)
    found = check_model(load_subject(str(tmp_path / "m.onnx")))
    assert [finding.entry.key for finding in found] == ["005", "055"]
    assert "\ufffd" in found[0].found


def test_a_constant_whose_data_does_not_fit_is_no_constant(tmp_path: Path) -> None:
    model = one("Reshape", (2, 3), more={"shape": np.array([-1, -1])})
    model.graph.initializer[0].raw_data = b"\0" * 3
    onnx.save(model, tmp_path / "m.onnx")
    assert check_model(load_subject(str(tmp_path / "m.onnx"))) == []


def test_an_attribute_without_a_type_is_not_set(tmp_path: Path) -> None:
    model = one("CumSum", (3,), more={"axis": ()}, reverse=1)
    model.graph.node[0].attribute[0].type = 0
    onnx.save(model, tmp_path / "m.onnx")
    assert check_model(load_subject(str(tmp_path / "m.onnx"))) == []
