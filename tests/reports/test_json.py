from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest

from ipudebug import __version__
from ipudebug.baseline import Gate, load_baseline
from ipudebug.metrics import METRICS
from ipudebug.reports import REPORTS, make_report
from tests.reports.every_row import ROWS, make_comparison

DOCUMENT = Path(__file__).parents[2] / "docs" / "json.md"


def refuse(token):
    pytest.fail(f"{token} is not JSON")


def load(comparison, rows=None):
    text = "".join(REPORTS["json"].render(comparison, comparison if rows is None else rows))
    assert text.isascii()
    return json.loads(text, parse_constant=refuse)


def test_the_head_says_what_was_compared(tmp_path):
    report = load(make_comparison(tmp_path, metrics=["sqnr"]))
    assert list(report) == [
        "version", "tool", "sample", "benchmark", "metrics", "thresholds", "layers", "sample_only", "benchmark_only",
        "notes", "conflicts", "baseline", "summary",
    ]  # fmt: skip
    assert (report["version"], report["tool"]) == (1, f"ipudebug {__version__}")
    assert report["sample"] == str(tmp_path / "sample.bin")
    assert report["benchmark"] == str(tmp_path / "benchmark.bin")
    assert report["metrics"] == ["mse", "cos", "rmse", "sqnr"]
    assert report["thresholds"] == {"cos": 0.99, "rmse": 0.1}


def test_a_layer_has_its_names_and_numbers(tmp_path):
    layers = load(make_comparison(tmp_path))["layers"]
    assert layers[1] == {
        "index": 1, "name": "suspicious", "benchmark_name": "suspicious", "op_type": "CONV_2D", "op_index": 1,
        "shape": [1, 4], "benchmark_shape": [1, 4], "status": "suspicious",
        "values": {"mse": 5.0, "cos": pytest.approx(2 / 3), "rmse": 0.8}, "nan": [0, 0], "inf": [0, 0], "note": "",
    }  # fmt: skip
    assert layers[4]["values"] == {"mse": "NaN", "cos": "NaN", "rmse": "NaN"}
    assert (layers[4]["nan"], layers[5]["inf"]) == ([1, 1], [1, 0])
    assert layers[5]["values"] == {"mse": "Infinity", "cos": "NaN", "rmse": "Infinity"}
    assert (layers[6]["index"], layers[6]["values"], layers[6]["status"]) == (None, {}, "uncompared")
    assert layers[6]["note"].startswith("sizes differ")
    names = [name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else name for name, _, _ in ROWS]
    assert [layer["name"] for layer in layers] == names


def test_infinities_of_both_signs_are_strings(tmp_path):
    rows = [("a", [1.0, 2], [0.0, 0]), ("b", [1.0], [1.0])]
    values = [layer["values"]["sqnr"] for layer in load(make_comparison(tmp_path, rows, metrics=["sqnr"]))["layers"]]
    assert values == ["-Infinity", "Infinity"]
    assert [float(value) for value in values] == [-math.inf, math.inf]


def test_the_tail_says_what_was_left_over_and_what_it_comes_to(tmp_path):
    report = load(make_comparison(tmp_path))
    assert report["sample_only"] == [{"name": "fc11#55", "reason": "made by the conversion"}]
    assert [item["name"] for item in report["benchmark_only"]] == ["fused\x1b"]
    assert report["summary"] == {
        "compared": 12, "uncompared": 1, "listed": 13, "coverage": 12 / 14, "first_suspicious": 1,
    }  # fmt: skip


def test_a_selection_does_not_change_what_was_compared(tmp_path):
    comparison = make_comparison(tmp_path)
    summary = load(comparison, [row for row in comparison if row.status == "equal"][:2])["summary"]
    assert summary == {"compared": 12, "uncompared": 1, "listed": 2, "coverage": 12 / 14, "first_suspicious": None}
    assert load(comparison, [])["layers"] == []


def fields_of(value, path=""):
    """Yield the path of every field: ``layers[].name``; the metrics of ``values`` count as one."""
    if isinstance(value, dict):
        for key, inner in value.items():
            name = "*" if path.endswith(".values") else key
            yield f"{path}.{name}".lstrip(".")
            yield from fields_of(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from fields_of(inner, f"{path}[]")


def test_every_field_is_documented_and_no_other(tmp_path):
    documented = re.findall(r"^\| `([^`]+)` \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(documented) == len(set(documented))
    comparison = make_comparison(tmp_path, metrics=list(METRICS))
    (tmp_path / "earlier.json").write_text("".join(REPORTS["json"].render(comparison, comparison)), encoding="utf-8")
    gate = Gate(load_baseline(str(tmp_path / "earlier.json")), {"cos": 0.1}, {"cos": 0.1})
    report = "".join(make_report("json", gate=gate).render(comparison, comparison))
    assert set(documented) == set(fields_of(json.loads(report)))


def test_the_documented_version_is_the_real_one(tmp_path):
    version = re.search(r"This page describes version (\d+)", DOCUMENT.read_text(encoding="utf-8"))
    assert version is not None
    assert int(version[1]) == load(make_comparison(tmp_path))["version"]


def test_every_documented_status_exists_and_no_other(tmp_path):
    line = re.search(r"^\| `layers\[\]\.status` \|.*", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert line is not None
    statuses = {layer["status"] for layer in load(make_comparison(tmp_path))["layers"]}
    assert set(re.findall(r"`(\w+)`", line[0])) == statuses
