"""``compare --baseline``, the warning about unlike inputs, and ``bundle``, as a user meets them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from ipudebug.manifest import write_manifest
from tests.command import run_command
from tests.dump_files import record, write_dump_file


@pytest.fixture(autouse=True)
def dumps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder with a benchmark and two samples, one a little worse than the other."""
    monkeypatch.chdir(tmp_path)
    for name, last in (("float.bin", 4), ("good.bin", 4.5), ("bad.bin", 5)):
        write_dump_file(Path(name), record("a", [1, 2, 3, 4]), record("b", [1, 2, 3, last], index=1))


def write_baseline(capfd, sample="good.bin"):
    assert run_command(capfd, "compare", sample, "float.bin", "--format", "json", "-o", "base.json").code == 0


def test_the_same_again_passes(capfd):
    write_baseline(capfd)
    outcome = run_command(capfd, "compare", "good.bin", "float.bin", "--baseline", "base.json")
    assert outcome.code == 0
    assert outcome.stderr.splitlines()[-1] == (
        "against the baseline: 0 worse, 0 better, 2 as before, 0 new; mean COS 0.999148 -> 0.999148;"
        " mean RMSE 0.025000 -> 0.025000"
    )


def test_a_regression_exits_with_1_and_is_named(capfd):
    write_baseline(capfd)
    outcome = run_command(capfd, "compare", "bad.bin", "float.bin", "--baseline", "base.json")
    assert outcome.code == 1
    assert outcome.stdout.count(" MSE: ") == 2
    assert outcome.stderr.splitlines()[-3:] == [
        "regression: b: RMSE 0.050000 -> 0.100000",
        "regression: overall: mean COS 0.999148 -> 0.997000",  # 34 / sqrt(39 * 30) = 0.993999, and 1
        "regression: overall: mean RMSE 0.025000 -> 0.050000",
    ]


def test_slack_lets_it_pass(capfd):
    write_baseline(capfd)
    options = ["--baseline", "base.json", "--layer-slack", "0.06", "--overall-slack", "cos:0.01"]
    command = ["compare", "bad.bin", "float.bin", *options]
    assert run_command(capfd, *command, "--overall-slack", "rmse:0.03").code == 0
    assert run_command(capfd, *command, "--overall-slack", "rmse:0.02").code == 1


def test_better_layers_are_told(capfd):
    write_baseline(capfd, "bad.bin")
    outcome = run_command(capfd, "compare", "good.bin", "float.bin", "--baseline", "base.json")
    assert outcome.code == 0
    assert "better: b: RMSE 0.100000 -> 0.050000" in outcome.stderr


def test_only_selected_layers_are_held_against_it(capfd):
    write_baseline(capfd)
    options = ["--baseline", "base.json", "--layer", "a"]
    assert run_command(capfd, "compare", "bad.bin", "float.bin", *options).code == 0


def test_rows_that_are_not_shown_count_too(capfd):
    write_baseline(capfd)
    outcome = run_command(
        capfd, "compare", "bad.bin", "float.bin", "--baseline", "base.json", "--top", "1", "--sort", "name"
    )
    assert outcome.code == 1
    assert "0 worse" not in outcome.stderr
    assert "gone" not in outcome.stderr


def test_the_baseline_is_no_place_for_the_report(capfd):
    write_baseline(capfd)
    before = Path("base.json").read_text()
    outcome = run_command(capfd, "compare", "bad.bin", "float.bin", "--baseline", "base.json", "-o", "base.json")
    assert outcome.code == 2
    assert Path("base.json").read_text() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--layer-slack", "0.1"], "error: --layer-slack and --overall-slack: of what?\nhint: add --baseline report"),
        (["--baseline", "none.json"], "error: --baseline: no such file: none.json\n"),
        (["--baseline", "float.bin"], "error: --baseline float.bin: expected a JSON report, found no JSON\n"),
        (["--baseline", "base.json", "--layer-slack", "x"], "error: --layer-slack x: expected [METRIC:]VALUE"),
        (["--baseline", "base.json", "--layer-slack", "sqnr:1"], "error: --baseline base.json: has no SQNR\n"),
    ],
)
def test_what_cannot_be_a_bar_is_a_sentence(capfd, options, message):
    write_baseline(capfd)
    outcome = run_command(capfd, "compare", "good.bin", "float.bin", *options)
    assert (outcome.code, outcome.stdout) == (2, "")
    assert outcome.stderr.startswith(message)


def test_a_metric_with_slack_is_measured_and_gated(capfd):
    run_command(capfd, "compare", "good.bin", "float.bin", "--metric", "sqnr", "--format", "json", "-o", "base.json")
    options = ["--baseline", "base.json", "--layer-slack", "1", "--overall-slack", "1", "--layer-slack", "sqnr:3"]
    outcome = run_command(capfd, "compare", "bad.bin", "float.bin", *options)
    assert outcome.code == 1
    assert "regression: b: SQNR 20.791812 -> 14.771213" in outcome.stderr  # 10 log10(30 / 0.25), 10 log10(30)


def test_dumps_of_different_inputs_are_called_out(capfd):
    for name, text in (("good.bin", "cat"), ("float.bin", "dog")):
        Path(f"{text}.jpg").write_text(text)
        write_manifest(name, "t", {}, [f"{text}.jpg"], {})
    outcome = run_command(capfd, "compare", "good.bin", "float.bin")
    assert outcome.code == 0
    assert outcome.stderr.splitlines()[-1] == (
        "WARNING: the two dumps were made from DIFFERENT INPUTS: sample cat.jpg (sha256 77af778b51ab);"
        " benchmark dog.jpg (sha256 cd6357efdd96)"
    )
    write_manifest("float.bin", "t", {}, ["cat.jpg"], {})
    assert "WARNING" not in run_command(capfd, "compare", "good.bin", "float.bin").stderr


def test_without_manifests_what_reads_them_is_not_loaded(capfd):
    script = (
        "import sys; from ipudebug.cli.app import run; run(['compare', 'good.bin', 'float.bin']); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"ipudebug.manifest", "ipudebug.baseline", "hashlib"} & set(done.stdout.splitlines()[-1].split())


def test_a_manifest_that_another_dump_left_is_told(capfd):
    write_manifest("good.bin", "t", {}, [], {})
    write_dump_file(Path("good.bin"), record("a", [1, 2, 3, 4.25]))
    stderr = run_command(capfd, "compare", "good.bin", "float.bin").stderr
    assert stderr.endswith("note: good.bin.json: the manifest belongs to another dump of this name: ignored\n")


def test_bundle(capfd):
    outcome = run_command(capfd, "bundle", "bad.bin", "float.bin", "-o", "x.zip")
    assert outcome.code == 0
    assert outcome.stdout.split() == [
        "report.html", "report.json", "rows.txt", "suspect/sample/out_b.npy", "suspect/benchmark/out_b.npy",
        "suspect/tensors.json", "quantisation.json", "environment.json", "README.txt",
    ]  # fmt: skip
    size = os.path.getsize("x.zip")
    assert outcome.stderr == f"the suspect is 1) b\nx.zip: 9 files, {size:,} bytes: look through it before sending it\n"


def test_bundle_never_overwrites_an_input(capfd):
    before = Path("bad.bin").read_bytes()
    assert run_command(capfd, "bundle", "bad.bin", "float.bin", "-o", "bad.bin").code == 2
    assert run_command(capfd, "bundle", "bad.bin", "float.bin", "-o", "x.zip", "--layer", "nope").code == 2
    assert Path("bad.bin").read_bytes() == before
    assert not Path("x.zip").exists()


def test_junit_judges_by_the_thresholds_of_the_command(capfd):
    options = ["--format", "junit", "--max-rmse", "b:0.01"]
    outcome = run_command(capfd, "compare", "good.bin", "float.bin", *options)
    assert outcome.code == 1
    assert '<failure message="RMSE 0.050000 &gt; 0.01" type="accuracy">' in outcome.stdout
    assert "<failure" not in run_command(capfd, "compare", "good.bin", "float.bin", "--format", "junit").stdout


def test_html_has_its_sqnr_without_being_asked(capfd):
    outcome = run_command(capfd, "compare", "good.bin", "float.bin", "--format", "html", "-o", "r.html")
    assert outcome.code == 0
    assert ">SQNR<" in Path("r.html").read_text()


def test_json_is_what_the_gate_reads(capfd):
    write_baseline(capfd)
    assert json.loads(Path("base.json").read_text())["version"] == 1


def mark_with_other_inputs() -> None:
    """Give the two dumps manifests that name different images."""
    for side in ("good", "float"):
        Path(f"{side}.jpg").write_bytes(side.encode())
        write_manifest(f"{side}.bin", "ipudebug 1.0", {}, [f"{side}.jpg"], {})


@pytest.mark.parametrize("form", ["json", "junit", "sarif", "markdown", "html"])
def test_reports_tell_unlike_inputs_too(capfd, form):
    mark_with_other_inputs()
    text = run_command(capfd, "compare", "good.bin", "float.bin", "--format", form).stdout
    assert text.count("made from DIFFERENT INPUTS") == 1
    if form == "json":
        assert "DIFFERENT INPUTS" in json.loads(text)["conflicts"][0]
    if form == "junit":
        (case,) = ET.fromstring(text).findall(".//testcase[@name='inputs of the two dumps']")
        assert case.find("failure") is not None
        assert ET.fromstring(text).get("failures") == "1"
    if form == "sarif":
        (result,) = json.loads(text)["runs"][0]["results"]
        assert (result["ruleId"], result["level"]) == ("different-inputs", "error")
    if form == "markdown":
        assert text.startswith("> [!CAUTION]\n> the two dumps were made from DIFFERENT INPUTS")
        assert "\n\n|" in text


@pytest.mark.parametrize("form", ["text", "json", "markdown", "html"])
def test_a_verdict_tells_unlike_inputs_too(capfd, form):
    mark_with_other_inputs()
    outcome = run_command(capfd, "diagnose", "good.bin", "float.bin", "--format", form)
    assert "WARNING: the two dumps were made from DIFFERENT INPUTS" in outcome.stderr
    if form != "text":
        assert outcome.stdout.count("made from DIFFERENT INPUTS") == 1


def test_regressions_are_failures_in_junit_and_nothing_else_is(capfd):
    write_baseline(capfd)
    options = ["--baseline", "base.json", "--format", "junit"]
    suite = ET.fromstring(run_command(capfd, "compare", "bad.bin", "float.bin", *options).stdout)
    failures = {case.get("name"): case.find("failure") for case in suite.iter("testcase")}
    assert suite.get("failures") == "3"
    assert failures["a"] is None
    assert failures["b"] is not None
    assert failures["b"].get("message") == "worse than the baseline: RMSE 0.050000 -> 0.100000"
    messages = [
        case.find("failure").get("message") for case in suite.iter("testcase") if case.get("name") == "baseline"
    ]
    assert messages == [
        "overall: mean COS 0.999148 -> 0.997000", "overall: mean RMSE 0.025000 -> 0.050000",
    ]  # fmt: skip


def test_what_was_as_bad_before_is_no_failure(capfd):
    write_dump_file(Path("worst.bin"), record("a", [4, 3, 2, 1]), record("b", [1, 2, 3, 4], index=1))
    write_baseline(capfd, "worst.bin")
    for options, failures in (([], "1"), (["--baseline", "base.json"], "0")):
        text = run_command(capfd, "compare", "worst.bin", "float.bin", "--format", "junit", *options).stdout
        assert ET.fromstring(text).get("failures") == failures


def test_regressions_are_errors_in_sarif(capfd):
    write_baseline(capfd)
    options = ["--baseline", "base.json", "--format", "sarif"]
    log = json.loads(run_command(capfd, "compare", "bad.bin", "float.bin", *options).stdout)["runs"][0]
    rules = log["tool"]["driver"]["rules"]
    found = [(item["ruleId"], item["level"], item["message"]["text"].partition(" (")[0]) for item in log["results"]]
    assert found == [
        ("regression", "error", "b: worse than the baseline: RMSE 0.050000 -> 0.100000"),
        ("regression", "error", "overall: mean COS 0.999148 -> 0.997000"),
        ("regression", "error", "overall: mean RMSE 0.025000 -> 0.050000"),
    ]
    assert all(rules[item["ruleIndex"]]["id"] == item["ruleId"] for item in log["results"])
    assert len({item["partialFingerprints"]["layer/v1"] for item in log["results"]}) == 3


def test_regressions_are_in_json_and_on_the_page(capfd):
    write_baseline(capfd)
    command = ["compare", "bad.bin", "float.bin", "--baseline", "base.json", "--format"]
    told = json.loads(run_command(capfd, *command, "json").stdout)["baseline"]
    assert told["regressions"][0] == "b: RMSE 0.050000 -> 0.100000"
    assert (told["path"], told["same"], told["better"], told["new"]) == ("base.json", 1, [], [])
    assert "3 worse than the baseline" in run_command(capfd, *command, "html").stdout
