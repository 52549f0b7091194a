from __future__ import annotations

import json

import pytest

from ipudebug.reports import REPORTS
from ipudebug.reports.model_explorer import COLOURS
from tests.reports.every_row import make_comparison


def read(comparison, rows=None):
    text = "".join(REPORTS["model_explorer"].render(comparison, comparison if rows is None else rows))
    return json.loads(text, parse_constant=lambda token: pytest.fail(f"{token} is not JSON"))


def test_every_compared_layer_has_its_value_and_the_colour_of_its_status(tmp_path):
    comparison = make_comparison(tmp_path)
    data = read(comparison)
    assert data.keys() == {"results", "thresholds"}
    results = data["results"]
    assert len(results) == 12
    assert "sizes" not in results
    assert results["suspicious"] == {"value": 2 / 3, "bgColor": "#c3272f", "textColor": "#ffffff"}
    assert results["both zero"]["value"] == 1.0
    assert results["nan"]["value"] == "nan"
    for row in comparison:
        if row.compared and row.name in results:
            assert (results[row.name]["bgColor"], results[row.name]["textColor"]) == COLOURS[row.status]


def test_cos_has_its_threshold(tmp_path):
    assert [item["value"] for item in read(make_comparison(tmp_path))["thresholds"]] == [0.99, 1]


def test_a_further_metric_takes_the_place_of_cos(tmp_path):
    rows = [("a", [2.0, 4], [1.0, 2]), ("b", [1.0], [1.0])]
    data = read(make_comparison(tmp_path, rows, metrics=["sqnr", "gain"]))
    assert [node["value"] for node in data["results"].values()] == [0.0, "inf"]
    assert data["thresholds"] == []


def test_without_rows_it_is_still_node_data(tmp_path):
    assert read(make_comparison(tmp_path), [])["results"] == {}


def test_two_layers_of_one_name_are_one_node(tmp_path):
    comparison = make_comparison(tmp_path)
    rows = list(comparison)
    assert len(read(comparison, [rows[0], rows[0]])["results"]) == 1
