from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from tests.command import run_command
from tests.sim.constraints.models import build_model, one

TABLE = """\
level    row    where                found
-------  -----  -------------------  ---------------------------
error    051                         input images is batchx3x8x8
error    044    /up/Resize (Resize)  mode=cubic
error    037    /head/TopK (TopK)    largest=0

051: dynamic dimensions without a description
  ends in  DYNSHAPESYM sub lacks shape info, please check DYNAMIC_CONFIG in ini!
  do       make input dimensions static, or describe the dynamic ones in the ini
  rewrite  fix the symbolic dimensions (onnx.tools.update_model_dims, or --input_shapes)
  look at  [DYNAMIC_CONFIG] of the ini; --input_shapes
  more     docs/errors.md#row-051

044: Resize with cubic interpolation
  ends in  Exception: ONNX RESIZE only supports nearest or linear:/up/Resize
  do       change the operator or attribute when exporting (other setting, equivalent operators, or newer exporter), export again, convert again
  look at  Resize mode
  more     docs/errors.md#row-044

037: TopK asked for the smallest elements
  ends in  Exception: ONNX TOPK SGS only supports the top-K largest elements along a specified axis:/head/TopK
  do       stay within the chip's limit: smaller kernel, stride or count, split the operator, or move it out of the model
  rewrite  negate the input, take the largest, negate the values
  look at  TopK largest
  more     docs/errors.md#row-037
"""  # noqa: E501 - the output as it is


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    nodes = [
        helper.make_node("Resize", ["images", "", "scales"], ["large"], name="/up/Resize", mode="cubic"),
        helper.make_node("TopK", ["large", "k"], ["scores", "index"], name="/head/TopK", largest=0),
    ]
    constants = {"scales": np.array([1, 1, 2, 2], np.float32), "k": np.array([1])}
    model = build_model(nodes, {"images": ("batch", 3, 8, 8)}, ["scores"], constants, opset=17)
    onnx.save(model, tmp_path / "net.onnx")
    monkeypatch.chdir(tmp_path)
    return "net.onnx"


def test_the_table(net: str, capfd: pytest.CaptureFixture[str]) -> None:
    done = run_command(capfd, "check", net)
    assert (done.code, done.stdout, done.stderr) == (1, TABLE, "net.onnx: 3 errors, 0 warnings, 0 notes\n")


def test_nothing_found(capfd: pytest.CaptureFixture[str], net: str) -> None:
    onnx.save(one("Relu"), "good.onnx")
    done = run_command(capfd, "check", "good.onnx")
    assert done.code == 0
    assert done.stdout == "good.onnx: nothing that the toolchain is known to refuse\n"


def test_warnings_and_notes_do_not_fail(capfd: pytest.CaptureFixture[str], net: str) -> None:
    onnx.save(one("Split", (1, 4), outputs=2, axis=1), "split.onnx")
    done = run_command(capfd, "check", "split.onnx", "--soc_version", "nochip")
    assert (done.code, done.stderr) == (0, "split.onnx: 0 errors, 1 warning, 1 note\n")


def test_input_shapes_make_a_dynamic_model_static(capfd: pytest.CaptureFixture[str], net: str) -> None:
    done = run_command(capfd, "check", net, "--input_shapes", "1,3,8,8")
    assert done.stderr == "net.onnx: 2 errors, 0 warnings, 0 notes\n"


@pytest.mark.parametrize(
    ("shapes", "text"),
    [
        ("1,3,8", "input images is batchx3x8x8 in the model, found 1x3x8"),
        ("1,4,8,8", "input images is batchx3x8x8 in the model, found 1x4x8x8"),
        ("1,3,8,8:1", "expected 1 shapes (images), found 2"),
        ("1,3,x,8", "expected whole numbers above 0, found 1,3,x,8"),
        ("0,3,8,8", "expected whole numbers above 0"),
        ("", "expected whole numbers above 0"),
    ],
)
def test_input_shapes_that_do_not_fit(shapes: str, text: str, capfd: pytest.CaptureFixture[str], net: str) -> None:
    done = run_command(capfd, "check", net, "--input_shapes", shapes)
    assert (done.code, done.stdout) == (2, "")
    assert text in done.stderr


def test_json(capfd: pytest.CaptureFixture[str], net: str) -> None:
    done = run_command(capfd, "check", net, "--format", "json", "-o", "-")
    report = json.loads(done.stdout)
    assert done.code == 1
    assert (report["version"], report["model"], report["counts"]) == (1, net, {"error": 3, "warning": 0, "note": 0})
    last = report["findings"][-1]
    assert (last["node"], last["op_type"], last["place"]) == ("/head/TopK", "TopK", None)
    assert (last["level"], last["row"], last["found"]) == ("error", "037", "largest=0")
    assert last["ends_in"].endswith("along a specified axis:/head/TopK")
    assert last["rewrite"] == "negate the input, take the largest, negate the values"


def test_sarif(capfd: pytest.CaptureFixture[str], net: str) -> None:
    Path("my config.ini").write_text("[INPUT_CONFIG]\ninputs = picture;\n")
    arguments = ("--input_config", "my config.ini", "--format", "sarif", "-o", "out.sarif")
    done = run_command(capfd, "check", net, *arguments)
    assert (done.code, done.stdout) == (1, "")
    log = json.loads(Path("out.sarif").read_text(encoding="utf-8"))
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert log["version"] == "2.1.0"
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
    name = next(result for result in run["results"] if result["ruleId"] == "075")
    (location,) = name["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "my%20config.ini"},
        "region": {"startLine": 2},
    }
    topk = next(result for result in run["results"] if result["ruleId"] == "037")
    assert topk["locations"] == [
        {
            "physicalLocation": {"artifactLocation": {"uri": "net.onnx"}},
            "logicalLocations": [{"name": "/head/TopK", "kind": "element"}],
        }
    ]


def test_names_with_odd_characters_stay_on_their_line(capfd: pytest.CaptureFixture[str], net: str) -> None:
    model = one("CumSum", more={"a": np.array(0)}, reverse=1)
    model.graph.node[0].name = "a\nb\x1b[31m"
    onnx.save(model, "odd.onnx")
    done = run_command(capfd, "check", "odd.onnx")
    assert "a\\nb\\x1b[31m (CumSum)" in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("absent.onnx", None, "error: Input graph file absent.onnx does not exist!"),
        ("empty.onnx", b"", "found no graph in it"),
        ("text.onnx", b"hello world\n", "found something else"),
        ("float.sim", b"\x1c\0\0\0TFL3" + bytes(64) + b"Sigmastar Float", "found a SigmaStar .sim model"),
    ],
)
def test_trouble(name: str, content: bytes | None, text: str, capfd: pytest.CaptureFixture[str], net: str) -> None:
    if content is not None:
        Path(name).write_bytes(content)
    done = run_command(capfd, "check", name)
    assert (done.code, done.stdout) == (2, "")
    assert text in done.stderr
    assert "hint: " in done.stderr


def test_a_model_that_is_cut_off_is_trouble_or_findings_but_no_bug(capfd: pytest.CaptureFixture[str], net: str) -> None:
    whole = Path(net).read_bytes()
    for size in range(0, len(whole), 7):
        Path("cut.onnx").write_bytes(whole[:size])
        assert run_command(capfd, "check", "cut.onnx").code in (0, 1, 2)


def test_a_folder_and_inputs_are_kept(capfd: pytest.CaptureFixture[str], net: str, tmp_path: Path) -> None:
    assert run_command(capfd, "check", str(tmp_path)).code == 2
    before = Path(net).read_bytes()
    assert run_command(capfd, "check", net, "-o", net).code == 2
    assert Path(net).read_bytes() == before


def test_an_ini_that_cannot_be_read(capfd: pytest.CaptureFixture[str], net: str) -> None:
    done = run_command(capfd, "check", net, "--input_config", "none.ini")
    assert (done.code, done.stdout) == (2, "")
    assert "input_config.ini file not found." in done.stderr
