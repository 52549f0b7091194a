"""Every row of the catalogue about conversion: found where it applies, silent just inside the rule."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import onnx
import pytest

from ipudebug.catalogue import find_known, load_entries
from ipudebug.errors import ModelError
from ipudebug.sim.constraints import FAMILIES, Finding, check_model, load_subject
from tests.sim.constraints.cases import CASES, REDUCE
from tests.sim.constraints.models import one

INI = """[INPUT_CONFIG]
inputs = {inputs};
training_input_formats = {trained};
input_formats = {fed};
mean = 0:0:0;
std_value = 1;
[OUTPUT_CONFIG]
outputs = {outputs};
"""
GOOD = {"inputs": "x", "trained": "RGB", "fed": "RGB", "outputs": "y0"}
INI_CASES: Mapping[str, tuple[str, str]] = {
    "001": (INI.format(**GOOD | {"fed": "BGR"}), INI.format(**GOOD | {"fed": "BGR", "trained": "BGR"})),
    "002": (INI.format(**GOOD | {"outputs": "y9"}), INI.format(**GOOD)),
    "003": ("stray\n" + INI.format(**GOOD), "# stray\n" + INI.format(**GOOD)),
    "074": (INI.format(**GOOD | {"trained": "BGR"}), INI.format(**GOOD)),
    "075": (INI.format(**GOOD | {"inputs": "images"}), INI.format(**GOOD)),
    "076": ("=\n", INI.format(**GOOD)),
}
OTHER = ("071", "072", "073", "082", "085")
"""Decided by --soc_version and by the file itself: see the tests of their own below."""
UNDECIDABLE = {
    "039": "the chip's limit on the outputs of a Split is not public; the largest Split is noted",
    "079": "about the calibration images, not the model",
    "081": "the limits of the convolution scheduler are not public",
    "083": "about the file that the calibrator is given",
    "084": "about the file that the compiler is given",
    "086": "about the file that the compiler is given",
}


def check(model: onnx.ModelProto, folder: Path, ini: str | None = None) -> list[Finding]:
    onnx.save(model, folder / "m.onnx")
    if ini is not None:
        (folder / "c.ini").write_text(ini)
    return check_model(load_subject(str(folder / "m.onnx"), str(folder / "c.ini") if ini is not None else None))


def texts_of(key: str) -> set[str]:
    """Return the keys of the rows that share a row's text, whatever their samples."""
    return {entry.key for known in find_known([load_entries()[key].message], load_entries()) for entry in known.entries}


def names_of(findings: list[Finding], key: str) -> list[Finding]:
    return [finding for finding in findings if finding.entry.key in texts_of(key) and finding.level != "note"]


@pytest.mark.parametrize("key", CASES)
def test_a_row_is_found_with_the_vendors_message(key: str, tmp_path: Path) -> None:
    trigger, _ = CASES[key]()
    found = names_of(check(trigger, tmp_path), key)
    assert len(found) == 1
    explained = find_known([found[0].message], load_entries())
    assert key in {entry.key for known in explained for entry in known.entries}


@pytest.mark.parametrize("key", CASES)
def test_the_twin_just_inside_the_rule_passes(key: str, tmp_path: Path) -> None:
    _, twin = CASES[key]()
    assert [finding for finding in check(twin, tmp_path) if finding.level != "note"] == []


@pytest.mark.parametrize("key", INI_CASES)
def test_a_row_about_the_ini_is_found_and_its_twin_passes(key: str, tmp_path: Path) -> None:
    bad, good = INI_CASES[key]
    found = names_of(check(one("Relu"), tmp_path, bad), key)
    assert len(found) == 1
    assert key in {e.key for known in find_known([found[0].message], load_entries()) for e in known.entries}
    assert check(one("Relu"), tmp_path, good) == []


@pytest.mark.parametrize("op", REDUCE)
def test_each_reduction_of_row_052_is_judged(op: str, tmp_path: Path) -> None:
    assert names_of(check(one(op, noop_with_empty_axes=1), tmp_path), "052")
    assert not names_of(check(one(op, noop_with_empty_axes=0), tmp_path), "052")


@pytest.mark.parametrize("key", ["071", "082", "085"])
def test_an_unknown_chip_is_doubtful_and_a_known_one_passes(key: str, tmp_path: Path) -> None:
    onnx.save(one("Relu"), tmp_path / "m.onnx")
    unknown = check_model(load_subject(str(tmp_path / "m.onnx"), soc_version="sufle"))
    assert [(finding.level, finding.message) for finding in unknown] == [
        ("warning", "ValueError: Not support soc_version: sufle")
    ]
    assert key in texts_of("071")
    assert "souffle is" in unknown[0].found
    assert check_model(load_subject(str(tmp_path / "m.onnx"), soc_version="souffle")) == []


def test_row_072_a_model_that_does_not_exist(tmp_path: Path) -> None:
    path = str(tmp_path / "none.onnx")
    with pytest.raises(ModelError) as caught:
        load_subject(path)
    assert caught.value.message == f"Input graph file {path} does not exist!"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x1c\0\0\0TFL3" + b"\0" * 40, "a TFLite model"),
        (b"SGSI" + b"\0" * 40, "an offline model"),
        (b'name: "net"\ninput: "data"\n', "something else"),
        (b"", "no graph in it"),
        (b"\xff" * 100, "something else"),
    ],
)
def test_row_073_a_file_of_another_framework(content: bytes, kind: str, tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(content)
    with pytest.raises(ModelError) as caught:
        load_subject(str(tmp_path / "m.onnx"))
    assert kind in caught.value.message
    known = find_known([caught.value.message], load_entries())
    assert "073" in {entry.key for one_ in known for entry in one_.entries}


def test_a_limit_that_is_not_public_is_noted_and_not_guessed(tmp_path: Path) -> None:
    noted = check(one("Split", (1, 8), outputs=8, axis=1), tmp_path)
    assert [(finding.level, finding.entry.key) for finding in noted] == [("note", "039")]
    assert "limit is not known" in noted[0].found


def test_every_rule_has_a_case() -> None:
    keys: set[str] = set()
    for family in FAMILIES.values():
        for rule in family:
            keys |= set(rule.keys) if hasattr(rule, "keys") else {rule.key}
    rows = {key for key in keys if key.isdigit()}
    assert rows <= {*CASES, *INI_CASES, *OTHER, *UNDECIDABLE}


def test_every_row_about_conversion_is_covered_or_listed(capsys: pytest.CaptureFixture[str]) -> None:
    about = [key for key, entry in load_entries().items() if key.isdigit() and entry.stage in "FXO"]
    covered = {*CASES, *INI_CASES, *OTHER}
    assert len(about) == 86
    assert covered | UNDECIDABLE.keys() == set(about)
    assert not covered & UNDECIDABLE.keys()
    with capsys.disabled():
        sys.stdout.write(f"\ncheck decides {len(covered)} of {len(about)} rows about conversion; not decidable:\n")
        sys.stdout.writelines(f"  {key}  {reason}\n" for key, reason in UNDECIDABLE.items())


def test_findings_are_all_there_at_once(tmp_path: Path) -> None:
    from onnx import helper

    nodes = [
        helper.make_node("CumSum", ["x", "a"], ["b"], name="c", reverse=1, exclusive=1),
        helper.make_node("OneHot", ["b", "a", "x"], ["d"], name="o"),
        helper.make_node("Mod", ["d", "x"], ["y"], name="m", fmod=1),
    ]
    from tests.sim.constraints.models import build_model

    model = build_model(nodes, {"x": ("n", 3), "a": ()}, ["y"], opset=21)
    keys = [finding.entry.key for finding in check(model, tmp_path) if finding.level == "error"]
    assert keys == ["053", "006", "051", "055", "056", "017"]
