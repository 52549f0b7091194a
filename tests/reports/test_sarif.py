from __future__ import annotations

import hashlib
import json

from ipudebug import __version__
from ipudebug.reports import make_report
from ipudebug.thresholds import parse_threshold
from tests.reports.every_row import make_comparison


def read(comparison, rows=None, thresholds=()):
    text = "".join(make_report("sarif", thresholds).render(comparison, comparison if rows is None else rows))
    return json.loads(text)


def results(log):
    return {result["locations"][0]["logicalLocations"][0]["name"]: result for result in log["runs"][0]["results"]}


def test_the_log_has_what_the_standard_requires(tmp_path):
    log = read(make_comparison(tmp_path))
    assert (log["version"], log["$schema"]) == ("2.1.0", "https://json.schemastore.org/sarif-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("ipudebug compare", __version__)
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"error", "warning", "note"}
        assert result["message"]["text"]


def test_what_is_wrong_is_listed_and_nothing_else(tmp_path):
    found = results(read(make_comparison(tmp_path)))
    assert {name: (result["ruleId"], result["level"]) for name, result in found.items()} == {
        "suspicious": ("suspicious-layer", "warning"),
        "nan": ("suspicious-layer", "warning"),
        "inf": ("suspicious-layer", "warning"),
        "sizes": ("uncompared-layer", "note"),
    }
    assert read(make_comparison(tmp_path), [])["runs"][0]["results"] == []


def test_one_result(tmp_path):
    result = results(read(make_comparison(tmp_path)))["suspicious"]
    assert result == {
        "ruleId": "suspicious-layer",
        "ruleIndex": 0,
        "level": "warning",
        "message": {
            "text": "suspicious: COS 0.666667 < 0.99, RMSE 0.800000 > 0.1"
            " (CONV_2D [1, 4]  MSE 5.000000  COS 0.666667  RMSE 0.800000)"
        },
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": f"{tmp_path}/sample.bin"}},
                "logicalLocations": [{"name": "suspicious", "kind": "element"}],
            }
        ],
        "partialFingerprints": {"layer/v1": hashlib.sha256(b"suspicious").hexdigest()},
        "properties": {"index": 1, "mse": 5.0, "cos": 2 / 3, "rmse": 0.8},
    }


def test_thresholds_that_were_asked_for_are_errors(tmp_path):
    found = results(read(make_comparison(tmp_path), thresholds=[parse_threshold("rmse", "0.9", is_minimum=False)]))
    assert {name: result["level"] for name, result in found.items()} == {
        "nan": "error",
        "inf": "error",
        "sizes": "error",
    }
    assert {result["ruleId"] for result in found.values()} == {"missed-threshold"}


def test_a_path_becomes_a_uri(tmp_path):
    folder = tmp_path / "a b#ü"
    folder.mkdir()
    (result, *_) = read(make_comparison(folder))["runs"][0]["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == f"{tmp_path}/a%20b%23%C3%BC/sample.bin"


def test_names_that_are_no_text_are_text(tmp_path):
    text = "".join(
        make_report("sarif").render(comparison := make_comparison(tmp_path, [(b"\xff", [1], [2])]), comparison)
    )
    assert "\\ud" not in text
    assert "\\\\xff: RMSE" in text
